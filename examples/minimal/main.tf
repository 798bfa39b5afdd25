terraform {
  required_providers {
    breezeblock = { source = "breezeblock/breezeblock" }
  }
}

provider "breezeblock" {
  owner = "acme/prod" # unique to this state
  hosts = {
    san1 = { address = "san1.example", user = "storage", host_key = "ssh-ed25519 AAAA…" }
  }
  backends = {
    fast = { host = "san1", file = { directory = "/srv/volumes" } }
  }
}

resource "breezeblock_volume" "db" {
  name    = "db"
  backend = "fast"
  size    = 10 # GiB
}

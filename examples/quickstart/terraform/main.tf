terraform {
  required_providers {
    breezeblock = {
      source = "breezeblock/breezeblock"
    }
  }
}

# What `breezeblock host --json` prints. A host of your own: its address, a user, a key, and the host's public key.
variable "storage_host" {
  description = "The storage host: where it is, who logs in, and the key it must show."
  type = object({
    address          = string
    port             = number
    user             = string
    private_key_file = string
    host_key         = string
  })
}

variable "directory" {
  description = "An existing directory on the storage host."
  type        = string
}

variable "size" {
  description = "Size of the volume, in GiB."
  type        = number
  default     = 1
}

provider "breezeblock" {
  owner = "examples/quickstart" # unique to this state

  hosts = {
    storage = var.storage_host
  }
  backends = {
    demo = { host = "storage", file = { directory = var.directory } }
  }
}

resource "breezeblock_volume" "data" {
  name    = "data"
  backend = "demo"
  size    = var.size
  labels  = { app = "postgres", tier = "gold" }
}

output "data_path" {
  description = "Where the volume is on its host."
  value       = breezeblock_volume.data.device_path
}

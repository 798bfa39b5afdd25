# Several backends as one pool: volumes say what they need, and go where there is room and where it suits best.
terraform {
  required_providers {
    breezeblock = {
      source = "breezeblock/breezeblock"
    }
  }
}

# As `breezeblock host --json` prints it; see ../quickstart.
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

variable "directories" {
  description = "Three directories on it, each a backend here. They could as well be volume groups of three hosts."
  type = object({
    fast = string
    bulk = string
    rest = string
  })
}

provider "breezeblock" {
  owner = "examples/placement" # unique to this state

  hosts = {
    storage = var.storage_host
  }
  backends = {
    fast = {
      host              = "storage"
      file              = { directory = var.directories.fast }
      labels            = { tier = "gold" }
      goodness_function = "capabilities.total_volumes < 2 ? 50 : 0"
    }
    bulk = {
      host              = "storage"
      file              = { directory = var.directories.bulk }
      filter_function   = "volume.size >= 2" # no place for many small ones
      goodness_function = "volume.size >= 5 ? 100 : 20"
    }
    rest = {
      host                        = "storage"
      file                        = { directory = var.directories.rest }
      max_over_subscription_ratio = "10"
    }
  }
}

# Only where the label says so.
resource "breezeblock_volume" "db" {
  name         = "db"
  size         = 2
  requirements = { tier = "gold" }
}

# Anywhere but there.
resource "breezeblock_volume" "replica" {
  name            = "replica"
  size            = 2
  scheduler_hints = { different_backend_from = [breezeblock_volume.db.id] }
}

# Wherever there is room for such small ones.
resource "breezeblock_volume" "scratch" {
  count = 3

  name = "scratch-${count.index}"
  size = 1
}

# Each on another backend; decided for all three at once, in the plan.
data "breezeblock_placement" "nodes" {
  policy = "anti-affinity"
  volumes = {
    "node-0" = { size = 2 }
    "node-1" = { size = 2 }
    "node-2" = { size = 2 }
  }
}

resource "breezeblock_volume" "node" {
  for_each = data.breezeblock_placement.nodes.backends

  name    = each.key
  size    = 2
  backend = each.value
}

output "backends" {
  value = {
    for volume in concat(
      [breezeblock_volume.db, breezeblock_volume.replica],
      breezeblock_volume.scratch,
      values(breezeblock_volume.node),
    ) : volume.name => volume.backend
  }
}

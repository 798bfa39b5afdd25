# A volume filled from a disk image, and copied out to another one.
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

variable "directory" {
  description = "An existing directory on the storage host, for volumes."
  type        = string
}

variable "image" {
  description = "A qcow2 image on the machine that runs the engine."
  type        = string
}

variable "copy" {
  description = "Where the copy goes on that machine: a name that no file has."
  type        = string
}

provider "breezeblock" {
  owner = "examples/images" # unique to this state

  hosts = {
    storage = var.storage_host
  }
  backends = {
    demo = { host = "storage", file = { directory = var.directory } }
  }
}

resource "breezeblock_volume" "root" {
  name    = "root"
  backend = "demo"
  size    = 1
  source = {
    image = {
      local_path = var.image
      format     = "qcow2"
    }
  }
}

# A point in time: the volume itself may be in use while the snapshot is copied.
resource "breezeblock_snapshot" "release" {
  name      = "release"
  volume_id = breezeblock_volume.root.id
}

# Destroying this leaves the file, unless deletion_policy = "delete".
resource "breezeblock_image" "release" {
  snapshot_id = breezeblock_snapshot.release.id
  local_path  = var.copy
  format      = "qcow2"
  compressed  = true
}

output "checksum" {
  value = breezeblock_image.release.checksum
}

# Disks that somebody made by hand, taken under management as they are: `terraform apply` imports and claims them.
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
  description = "The directory that the disks lie in."
  type        = string
}

variable "disks" {
  description = "File names, each with the disk's size in GiB, rounded up."
  type        = map(number)
}

provider "breezeblock" {
  owner = "examples/adoption" # unique to this state

  hosts = {
    storage = var.storage_host
  }
  backends = {
    demo = { host = "storage", file = { directory = var.directory } }
  }
}

import {
  for_each = var.disks
  to       = breezeblock_volume.disk[each.key]
  id       = "demo/existing:${each.key}"
}

resource "breezeblock_volume" "disk" {
  for_each = var.disks

  name            = each.key
  backend         = "demo"
  size            = each.value
  deletion_policy = "retain" # a destroy gives them back
}

# Everything in the directory, with what could be imported besides.
data "breezeblock_volumes" "all" {
  backend   = "demo"
  known_ids = [for volume in breezeblock_volume.disk : volume.id]
}

output "others" {
  value = [for volume in data.breezeblock_volumes.all.volumes : volume.reference if volume.status == "unmanaged"]
}

# An LVM thin volume, exported over iSCSI with CHAP, mounted with ext4 on another machine.
terraform {
  required_providers {
    breezeblock = {
      source = "breezeblock/breezeblock"
    }
  }
}

variable "hosts" {
  description = "The two machines, `storage` and `consumer`: where they are, who logs in, and the keys they must show."
  type = map(object({
    address          = string
    port             = optional(number, 22)
    user             = string
    private_key_file = string
    host_key         = string
    become           = optional(string, "none") # "sudo" where the user is not root
  }))
}

variable "volume_group" {
  description = "An LVM volume group on the storage host."
  type        = string
}

variable "thin_pool" {
  description = "A thin pool in it."
  type        = string
}

variable "portals" {
  description = "Addresses of the storage host that the consumer can reach, as in 10.0.0.5:3260."
  type        = list(string)
}

variable "size" {
  description = "Size of the volume, in GiB. Raise it and apply again: device and file system grow while they are in use."
  type        = number
  default     = 1
}

provider "breezeblock" {
  owner = "examples/lvm-iscsi" # unique to this state
  hosts = var.hosts
  backends = {
    fast = {
      host  = "storage"
      lvm   = { volume_group = var.volume_group, thin_pool = var.thin_pool }
      iscsi = { portals = var.portals } # CHAP is on; the passwords stay on the hosts
    }
  }
}

resource "breezeblock_volume" "postgres" {
  name    = "postgres"
  backend = "fast"
  size    = var.size
  labels  = { app = "postgres" }
}

resource "breezeblock_attachment" "postgres" {
  volume_id   = breezeblock_volume.postgres.id
  volume_size = breezeblock_volume.postgres.size
  host        = "consumer"
  filesystem  = { type = "ext4", mount_point = "/srv/postgres" }
}

output "device" {
  description = "The volume on the consumer, by a path that stays the same."
  value       = breezeblock_attachment.postgres.device_path
}

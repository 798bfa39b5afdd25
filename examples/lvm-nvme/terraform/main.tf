# A thick LVM volume, exported over NVMe/TCP, mounted with xfs on another machine.
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

variable "portals" {
  description = "Addresses of the storage host that the consumer can reach, as in 10.0.0.5:4420."
  type        = list(string)
}

variable "size" {
  description = "Size of the volume, in GiB. Raise it and apply again: device and file system grow while they are in use."
  type        = number
  default     = 1
}

provider "breezeblock" {
  owner = "examples/lvm-nvme" # unique to this state
  hosts = var.hosts
  backends = {
    bulk = {
      host  = "storage"
      lvm   = { volume_group = var.volume_group }
      nvmet = { portals = var.portals }
    }
  }
}

resource "breezeblock_volume" "archive" {
  name         = "archive"
  backend      = "bulk"
  size         = var.size
  provisioning = "thick"
  labels       = { app = "archive" }
}

resource "breezeblock_attachment" "archive" {
  volume_id   = breezeblock_volume.archive.id
  volume_size = breezeblock_volume.archive.size
  host        = "consumer"
  filesystem  = { type = "xfs", mount_point = "/srv/archive" }
}

output "device" {
  description = "The volume on the consumer, by a path that stays the same."
  value       = breezeblock_attachment.archive.device_path
}

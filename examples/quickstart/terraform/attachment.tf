# The file technology exports nothing: its volumes are used on the storage host itself.
resource "breezeblock_attachment" "data" {
  volume_id   = breezeblock_volume.data.id
  volume_size = breezeblock_volume.data.size
  host        = "storage"

  # Where the host's file system has no reflinks, a volume must not be in use while it is copied.
  depends_on = [breezeblock_snapshot.before_upgrade, breezeblock_volume.clone]
}

output "device" {
  description = "The volume, as its consumer sees it."
  value       = breezeblock_attachment.data.device_path
}

# The volume as it was when this was first applied.
resource "breezeblock_snapshot" "before_upgrade" {
  name      = "before-upgrade"
  volume_id = breezeblock_volume.data.id
}

# A new volume with the snapshot's content, larger than the snapshot.
resource "breezeblock_volume" "restored" {
  name    = "restored"
  backend = "demo"
  size    = 3
  source  = { snapshot_id = breezeblock_snapshot.before_upgrade.id }
}

# A clone: a new volume with another volume's content, of the same size.
resource "breezeblock_volume" "clone" {
  name    = "clone"
  backend = "demo"
  source  = { volume_id = breezeblock_volume.data.id }
}

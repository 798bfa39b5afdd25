# Prints sections, each below a line `=== name`. What changes by itself (counters, device numbers, how full a
# pool is, the kernel's own names of disks) is left out.
section() { echo "=== $1"; }

section "logical volumes"
lvs --all --noheadings --separator '|' -o vg_name,lv_name,lv_uuid,lv_size,lv_tags,lv_role,lv_active,origin,pool_lv \
  --units b 2>/dev/null
section "volume groups"
vgs --noheadings --separator '|' -o vg_name,vg_uuid,vg_size,vg_free,vg_tags --units b 2>/dev/null
section "device mapper"
dmsetup ls 2>/dev/null | sed 's/[[:space:]]*(.*//; s/^No devices found$//'
section "loop devices"
losetup --list --noheadings --output BACK-FILE

section "target values"
for tree in target nvmet; do
  root=/sys/kernel/config/$tree
  [ -d $root ] || continue
  find $root -name '*statistics' -prune -o -type l -printf '%p -> %l\n' -o -type d -print
  # `acls/*/param` shows what the initiator that is logged in has negotiated; nvmet fills in the queue size of a port in use.
  find $root -name '*statistics' -prune -o -path '*/acls/*/param' -prune -o -type f -readable \
    ! -name info ! -name hba_info ! -name dynamic_sessions ! -name action ! -name control ! -name dbroot \
    ! -name param_max_queue_size \
    -exec grep -s '' /dev/null {} + | sed 's/:NULL$/:/'
done
section "kept targets"
find /etc/rtslib-fb-target /etc/target /etc/nvmet -type f ! -path '*/backup/*' \
  -exec sed 's/^ *//; s/,$//' {} + 2>/dev/null

section "iscsi sessions"
for session in /sys/class/iscsi_session/session*; do
  [ -d "$session" ] || continue
  for connection in "$session"/device/connection*/iscsi_connection/*; do
    echo "$(cat "$session/targetname") $(cat "$connection/persistent_address" "$connection/persistent_port" | tr '\n' ' ')"
  done
done
section "iscsi records"
find /etc/iscsi/nodes /etc/iscsi/send_targets -type f -exec sha256sum {} + 2>/dev/null
section "nvme connections"
for controller in /sys/class/nvme/nvme*; do
  [ -d "$controller" ] && echo "$(cat "$controller/subsysnqn" "$controller/address" | tr '\n' ' ')"
done
section "nvme files"
find /etc/nvme -type f -exec sha256sum {} + 2>/dev/null
section "multipath"
find /etc/multipath /etc/multipath.conf -type f ! -name wwids -exec sha256sum {} + 2>/dev/null
# multipath-tools turn a name that is taken out into a comment.
grep -hs '^/' /etc/multipath/wwids

section "mounts"
findmnt --noheadings --raw --real --output TARGET,FSTYPE,OPTIONS
section "fstab"
cat /etc/fstab
section "units"
find /etc/systemd/system -mindepth 1 ! -type d -printf '%p %l\n'
section "foreign data"
sha256sum /srv/foreign-*/data 2>/dev/null
true

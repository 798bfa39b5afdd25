# consumer.sh TARGET SUBSYSTEM NVME_PORT ADDRESS
set -eu
target=$1 subsystem=$2 port=$3 address=$4

iscsiadm -m discovery -t sendtargets -p "$address" >/dev/null
iscsiadm -m node -T "$target" -p "$address" -o update -n node.startup -v automatic
iscsiadm -m node -T "$target" -p "$address" --login >/dev/null
iscsi_device=/dev/disk/by-path/ip-$address:3260-iscsi-$target-lun-0
udevadm wait --timeout=30 "$iscsi_device"

echo "--transport=tcp --traddr=$address --trsvcid=$port" >/etc/nvme/discovery.conf
nvme connect --transport=tcp --traddr="$address" --trsvcid="$port" --nqn="$subsystem"
for controller in /sys/class/nvme/nvme*; do
  [ "$(cat "$controller/subsysnqn")" = "$subsystem" ] && break
done
nvme_device=/dev/$(basename "$controller")n1
udevadm wait --timeout=30 "$nvme_device"
udevadm settle

for pair in "iscsi $iscsi_device" "nvme $nvme_device"; do
  kind=${pair%% *} device=${pair#* }
  mkfs.ext4 -q -L "foreign-$kind" "$device"
  mkdir -p "/srv/foreign-$kind"
  echo "LABEL=foreign-$kind /srv/foreign-$kind ext4 _netdev,nofail 0 2" >>/etc/fstab
  mount "$device" "/srv/foreign-$kind"
  head -c 1048576 /dev/urandom >"/srv/foreign-$kind/data"
done
systemctl daemon-reload
sync

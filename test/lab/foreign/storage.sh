# storage.sh TARGET SUBSYSTEM NVME_PORT ADDRESS INITIATOR
set -eu
target=$1 subsystem=$2 port=$3 address=$4 initiator=$5
lvcreate -qq -y -L 128M -n foreign-iscsi vg0
lvcreate -qq -y -V 128M --thinpool pool0 --addtag operators -n foreign-nvme vg0

# What targetcli would do, faster; targetctl keeps it, as targetcli's saveconfig would.
core=/sys/kernel/config/target/core/iblock_0/foreign
mkdir -p $core
echo udev_path=/dev/vg0/foreign-iscsi >$core/control
echo /dev/vg0/foreign-iscsi >$core/udev_path
echo 6d1c7b52-0d0e-4a8e-9f0c-2b7f5a3c9e11 >$core/wwn/vpd_unit_serial
echo 1 >$core/enable
group=/sys/kernel/config/target/iscsi/$target/tpgt_1
mkdir -p $group
echo 0 >$group/attrib/authentication
mkdir -p $group/lun/lun_0 $group/acls/$initiator/lun_0 $group/np/$address:3260
ln -s $core $group/lun/lun_0/foreign
ln -s $group/lun/lun_0 $group/acls/$initiator/lun_0/foreign
echo 1 >$group/enable
targetctl save >/dev/null
# Debian's unit does not wait for volumes; its users have it do so.
mkdir -p /etc/systemd/system/rtslib-fb-targetctl.service.d
cat >/etc/systemd/system/rtslib-fb-targetctl.service.d/foreign.conf <<UNIT
[Service]
ExecStartPre=udevadm wait --timeout=30 /dev/vg0/foreign-iscsi
UNIT

# Debian has no tool that keeps nvmet's configuration: its users write such a unit.
cat >/usr/local/sbin/foreign-nvmet <<SCRIPT
#!/bin/sh
set -e
udevadm wait --timeout=30 /dev/vg0/foreign-nvme
cd /sys/kernel/config/nvmet
mkdir subsystems/$subsystem
echo 5f7f5d0f3f4c4e6b >subsystems/$subsystem/attr_serial
echo 1 >subsystems/$subsystem/attr_allow_any_host
mkdir subsystems/$subsystem/namespaces/1
echo 3e1f0a52-9a35-4c9a-a1f0-6d9b2f1c7e44 >subsystems/$subsystem/namespaces/1/device_uuid
echo /dev/vg0/foreign-nvme >subsystems/$subsystem/namespaces/1/device_path
echo 1 >subsystems/$subsystem/namespaces/1/enable
mkdir ports/99
echo tcp >ports/99/addr_trtype
echo ipv4 >ports/99/addr_adrfam
echo $address >ports/99/addr_traddr
echo $port >ports/99/addr_trsvcid
ln -s /sys/kernel/config/nvmet/subsystems/$subsystem ports/99/subsystems/
SCRIPT
chmod 755 /usr/local/sbin/foreign-nvmet
cat >/etc/systemd/system/foreign-nvmet.service <<UNIT
[Unit]
After=network.target lab-identity.service
Requires=sys-kernel-config.mount
After=sys-kernel-config.mount
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/usr/local/sbin/foreign-nvmet
[Install]
WantedBy=multi-user.target
UNIT
systemctl --quiet enable --now foreign-nvmet.service

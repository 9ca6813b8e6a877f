. "$TOP/tests/vm/lib.sh"
lspci -k 2>/dev/null | tail -20
cd /sys/bus/pci/devices/0000:06:00.0; driver_of 0000:06:00.0
ls; cat sriov_totalvfs sriov_numvfs sriov_offset sriov_stride sriov_drivers_autoprobe
ls nvme nvme/*; ls /sys/class/block
time echo 2 > sriov_numvfs
ls -l virtfn*
readlink virtfn0/driver virtfn0/iommu_group iommu_group
sleep 3
readlink virtfn0/driver
time echo 0000:06:00.1 > virtfn0/driver/unbind
readlink virtfn0/driver
echo vfio-pci > virtfn0/driver_override; time echo 0000:06:00.1 > /sys/bus/pci/drivers_probe
readlink virtfn0/driver
time echo 0 > sriov_numvfs
dmesg | tail -30
zcat /proc/config.gz | grep -E "CONFIG_(SWAP|EXT4|BTRFS|FUSE|XFS|ISO|SQUASH|EROFS|VFAT|CRAMFS|ROMFS)[_A-Z]*=|BLK_DEV_(LOOP|RAM)"
ls /sys/class/net; ip link
echo "ok 1 - x"; echo 1..1

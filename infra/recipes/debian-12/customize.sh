#!/bin/sh
# Runs at the end of mmdebstrap with the tree in $1: what a package cannot say. Settings come by the environment:
# ROOT_UUID and ESP_UUID (of the file systems), APT_SOURCES, FILES (folder of files to lay over the tree), OUT.
set -eu
tree=$1

cp -r --no-preserve=ownership "$FILES/." "$tree/"
printf '%s\n' "$APT_SOURCES" >"$tree/etc/apt/sources.list"
rm -f "$tree"/etc/apt/sources.list.d/*
printf 'UUID=%s / ext4 defaults,errors=remount-ro 0 1\nUUID=%s /boot/efi vfat umask=0077,nofail 0 0\n' \
	"$ROOT_UUID" "$ESP_UUID" >"$tree/etc/fstab"
echo debian >"$tree/etc/hostname"
printf '127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n' >"$tree/etc/hosts"
echo LANG=C.UTF-8 >"$tree/etc/default/locale"
ln -sf ../run/systemd/resolve/stub-resolv.conf "$tree/etc/resolv.conf"

chroot "$tree" systemctl enable systemd-networkd.service systemd-resolved.service serial-getty@ttyS0.service
# Not needed at every boot: a check for snapshots of LVM disks, and a Python program that waits for the shutdown to
# install upgrades (the daily timer installs them).
chroot "$tree" systemctl disable e2scrub_reap.service e2scrub_all.timer unattended-upgrades.service

# Direct boot keeps using this kernel: its modules must not go when a newer kernel is installed beside it.
kernel=$(basename "$(readlink -f "$tree/vmlinuz")" | sed s/^vmlinuz-//)
chroot "$tree" apt-mark manual "linux-image-$kernel" >/dev/null

# GRUB's own files, as grub-install would leave them, and the two programs that load it.
for platform in i386-pc x86_64-efi; do
	mkdir -p "$tree/boot/grub/$platform"
	cp "$tree/usr/lib/grub/$platform/"*.mod "$tree/usr/lib/grub/$platform/"*.lst "$tree/boot/grub/$platform/"
done
mkdir -p "$tree/boot/grub/fonts" "$tree/boot/efi"
cp "$tree/usr/share/grub/unicode.pf2" "$tree/boot/grub/fonts/" 2>/dev/null || true
cat >"$tree/tmp/early.cfg" <<CFG
search.fs_uuid $ROOT_UUID root
set prefix=(\$root)/boot/grub
CFG
chroot "$tree" grub-mkimage --format=i386-pc --prefix=/boot/grub --config=/tmp/early.cfg --output=/tmp/core.img \
	biosdisk part_gpt ext2 search_fs_uuid
chroot "$tree" grub-mkimage --format=x86_64-efi --prefix=/boot/grub --config=/tmp/early.cfg --output=/tmp/BOOTX64.EFI \
	part_gpt ext2 search_fs_uuid fat normal configfile linux echo all_video serial terminal
cp "$tree/tmp/core.img" "$tree/tmp/BOOTX64.EFI" "$tree/usr/lib/grub/i386-pc/boot.img" "$OUT/"
cp "$tree/tmp/core.img" "$tree/usr/lib/grub/i386-pc/boot.img" "$tree/boot/grub/i386-pc/"
rm -f "$tree/tmp/early.cfg" "$tree/tmp/core.img" "$tree/tmp/BOOTX64.EFI"
# update-grub needs the disk, which is not there yet; this configuration lasts until a kernel is installed and
# update-grub writes its own. The links /vmlinuz and /initrd.img are kept by Debian.
cat >"$tree/boot/grub/grub.cfg" <<CFG
serial --unit=0 --speed=115200
terminal_input console serial
terminal_output console serial
set timeout=1
search --no-floppy --fs-uuid --set=root $ROOT_UUID
menuentry 'Debian GNU/Linux' {
	linux /vmlinuz root=UUID=$ROOT_UUID ro console=tty0 console=ttyS0,115200
	initrd /initrd.img
}
CFG

: "${VARIANT_FILES:=}" "${VARIANT_CUSTOMIZE:=}"
if [ -n "$VARIANT_FILES" ]; then cp -r --no-preserve=ownership "$VARIANT_FILES/." "$tree/"; fi
if [ -n "$VARIANT_CUSTOMIZE" ]; then "$VARIANT_CUSTOMIZE" "$tree"; fi

cp -L "$tree/vmlinuz" "$tree/initrd.img" "$OUT/"

# Every VM makes its own identity at its first boot.
rm -f "$tree"/etc/ssh/ssh_host_* "$tree/var/lib/systemd/random-seed" "$tree/var/lib/dbus/machine-id"
: >"$tree/etc/machine-id"
rm -rf "$tree"/var/cache/apt/*.bin "$tree"/var/lib/apt/lists/* "$tree"/var/log/*.log "$tree"/var/log/apt "$tree/root/.bash_history"

#!/bin/sh
# Runs at the end of debian-12/customize.sh with the tree in $1.
set -eu
tree=$1
chmod 755 "$tree"/usr/lib/hearth/*
chroot "$tree" systemctl enable lightdm.service hearth-autologin.service
chroot "$tree" systemctl set-default graphical.target
# The panel's menu and file manager are the session's; what it starts is in files/etc/xdg/openbox.
chroot "$tree" update-alternatives --set x-terminal-emulator /usr/bin/lxterminal 2>/dev/null || true
sed -i 's|<name>Clearlooks</name>|<name>Hearth</name>|' "$tree/etc/xdg/openbox/rc.xml"
grep -q '<name>Hearth</name>' "$tree/etc/xdg/openbox/rc.xml"
# The disk's file system keeps whole seconds, and fonts' caches count for folders of exactly the same time: otherwise each
# program reads all fonts anew at its start.
for fonts in "$tree/usr/share/fonts" "$tree/usr/local/share/fonts"; do
	if [ -d "$fonts" ]; then find "$fonts" -type d -exec touch -d 2024-01-01T00:00:00Z {} +; fi
done
chroot "$tree" fc-cache --system-only --force
# Asked for by name when something wants to mount a disk; nothing here does.
chroot "$tree" systemctl disable udisks2.service
# A file manager that looks for printers and phones costs a start seconds.
rm -f "$tree"/etc/xdg/autostart/gnome-keyring-*.desktop

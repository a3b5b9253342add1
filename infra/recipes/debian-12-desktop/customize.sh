#!/bin/sh
# Runs at the end of debian-12/customize.sh with the tree in $1.
set -eu
tree=$1
chmod 755 "$tree"/usr/lib/hearth/*
chroot "$tree" systemctl enable lightdm.service hearth-autologin.service
chroot "$tree" systemctl set-default graphical.target
# The panel's menu and file manager are the session's; what it starts is in files/etc/xdg/openbox.
chroot "$tree" update-alternatives --set x-terminal-emulator /usr/bin/lxterminal 2>/dev/null || true
# A file manager that looks for printers and phones costs a start seconds.
rm -f "$tree"/etc/xdg/autostart/gnome-keyring-*.desktop

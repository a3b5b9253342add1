#!/bin/busybox sh
# First program of the display test's guest: shows the test's picture in place of the console, first by the frame buffer
# that the kernel was started with (and says what is typed at the keyboard it has then), then (after a line on the serial port) by the drivers' own, and runs a shell there.
/bin/busybox --install -s /bin
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
# Only the test draws: no console, no blinking cursor.
bare() {
	for console in /sys/class/vtconsole/*; do
		if grep -q 'frame buffer' "$console/name"; then echo 0 > "$console/bind"; fi
	done
}
bare
zcat /bin/picture.gz > /dev/fb0
echo "EARLY $(cat /sys/class/graphics/fb0/name) $(cat /sys/class/graphics/fb0/virtual_size)"
(read -r line < /dev/tty1; echo "TYPED $line") &
read -r _
for module in $(cat /modules/order); do insmod "/modules/$module"; done
bare
zcat /bin/picture.gz > /dev/fb0
export PS1='guest# '
echo "GUEST UP $(cat /sys/class/graphics/fb0/name) $(cat /sys/class/graphics/fb0/virtual_size)"
setsid cttyhack sh
poweroff -f

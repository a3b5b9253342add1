#!/bin/busybox sh
# First program of the display tests' guest: loads the drivers, then runs a shell on the screen's console and one on
# the serial port.
/bin/busybox --install -s /bin
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
for module in $(cat /modules/order); do insmod "/modules/$module"; done
export PS1='screen# '
while true; do setsid sh -c 'exec sh -i < /dev/tty1 > /dev/tty1 2>&1'; done &
export PS1='guest# '
echo "GUEST UP $(ls /dev/dri)" > /dev/ttyS0
# Not cttyhack: it takes the last of the kernel's consoles, which is the screen.
setsid sh -c 'stty sane < /dev/ttyS0; exec sh -i < /dev/ttyS0 > /dev/ttyS0 2>&1'
poweroff -f

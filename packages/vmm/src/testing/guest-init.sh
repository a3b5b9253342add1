#!/bin/busybox sh
# First program of the lab tests' guest: loads every module it was given, says what it sees, then does what the
# kernel's command line asks: run=shell|poweroff|reboot|panic.
/bin/busybox --install -s /bin
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
for module in $(cat /modules/order); do insmod "/modules/$module"; done
for word in $(cat /proc/cmdline); do
  case $word in run=*) wanted=${word#run=} ;; esac
done
echo "GUEST UP cpus=$(nproc) memory=$(sed -n 's/MemTotal: *\([0-9]*\) kB/\1/p' /proc/meminfo)"
case $wanted in
  poweroff) poweroff -f ;;
  reboot) reboot -f ;;
  panic)
    echo 1 > /proc/sys/kernel/panic
    echo c > /proc/sysrq-trigger
    ;;
esac
# A press of the power button is EV_KEY code 116, down; nothing else is read from there.
for input in /sys/class/input/event*; do
  grep -q 'Power Button' "$input/device/name" || continue
  (head -c 24 "/dev/input/${input##*/}" > /dev/null && echo "POWER BUTTON" && poweroff -f) &
done
export PS1='guest# '
setsid cttyhack sh
poweroff -f

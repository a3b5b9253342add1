#!/bin/busybox sh
# First program of the disk engine's guest: works on /dev/vda as the kernel's command line asks and says what it saw.
/bin/busybox --install -s /bin
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
mount -t tmpfs none /tmp
for module in $(cat /modules/order); do insmod "/modules/$module"; done
for word in $(cat /proc/cmdline); do
  case $word in
    run=*) wanted=${word#run=} ;;
    tag=*) tag=${word#tag=} ;;
  esac
done

sum() {
  echo 3 > /proc/sys/vm/drop_caches
  echo "SUM $(md5sum < /dev/vda | cut -d' ' -f1)"
}

case $wanted in
  rewrite)
    # Twice, with a reset between: the first run leaves a word in the last sector.
    last=$(($(cat /sys/block/vda/size) - 1))
    if [ "$(dd if=/dev/vda bs=512 skip=$last count=1 2>/dev/null | head -c 5)" = again ]; then
      sum
      poweroff -f
    fi
    echo "DISCARD $(cat /sys/block/vda/queue/discard_max_bytes) $(cat /sys/block/vda/queue/write_zeroes_max_bytes)"
    sum
    dd if=/dev/urandom of=/dev/vda bs=64k seek=7 count=300 2>/dev/null
    dd if=/dev/urandom of=/dev/vda bs=512 seek=123457 count=37 conv=fsync 2>/dev/null
    blkdiscard -o 4194304 -l 6291456 /dev/vda && echo DISCARDED
    echo again | dd of=/dev/vda bs=512 seek=$last conv=fsync 2>/dev/null
    sum
    reboot -f
    ;;
  fill)
    # Blocks of one number each; what is said to be there was flushed.
    i=1
    while true; do
      yes "$tag $i" | head -c 40960 | dd of=/dev/vda bs=40960 seek=$i conv=fsync 2>/dev/null
      echo "FLUSHED $i"
      i=$((i + 1))
    done
    ;;
esac
poweroff -f

#!/bin/sh
# jail.sh ROOT SOURCE WORK UID PROGRAM ARGUMENT…: runs PROGRAM where it sees nothing of this machine but its own
# libraries, the file SOURCE (as /source, read only) and the folder WORK (as /out), without network, under UID
# (`-`: as whoever we are). Called by jail.ts inside new mount, network, pid, ipc and uts namespaces.
set -eu
root=$1 source=$2 work=$3 uid=$4
shift 4
mount --make-rprivate /
mount -t tmpfs -o size=1m,mode=755 jail "$root"
mkdir "$root/usr" "$root/out" "$root/dev"
mount --bind /usr "$root/usr"
mount -o remount,bind,ro,nosuid,nodev "$root/usr"
for folder in bin sbin lib lib64; do
  if [ -L "/$folder" ]; then ln -s "$(readlink "/$folder")" "$root/$folder"
  elif [ -d "/$folder" ]; then
    mkdir "$root/$folder"
    mount --bind "/$folder" "$root/$folder"
    mount -o remount,bind,ro,nosuid,nodev "$root/$folder"
  fi
done
: > "$root/source"
mount --bind "$source" "$root/source"
mount -o remount,bind,ro,nosuid,nodev,noexec "$root/source"
mount --bind "$work" "$root/out"
mount -o remount,bind,nosuid,nodev,noexec "$root/out"
: > "$root/dev/null"
mount --bind /dev/null "$root/dev/null"
mount -o remount,ro "$root"
cd "$root"
if [ "$uid" = - ]; then
  exec chroot "$root" /usr/bin/setpriv --no-new-privs --bounding-set=-all --inh-caps=-all "$@"
fi
exec chroot "$root" /usr/bin/setpriv --reuid="$uid" --regid="$uid" --clear-groups --no-new-privs \
  --bounding-set=-all --inh-caps=-all "$@"

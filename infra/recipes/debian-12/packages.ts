/** What a Debian 12 VM has beyond the essential system: what Debian's own cloud images have, as far as a VM at home uses it. */
export const imagePackages: readonly string[] = [
  // boots
  ...['linux-image-cloud-amd64', 'initramfs-tools', 'zstd', 'systemd-sysv', 'udev', 'dbus', 'kmod'],
  ...['grub2-common', 'grub-pc-bin', 'grub-efi-amd64-bin'],
  // knows who it is and tells its host
  ...['cloud-init', 'cloud-guest-utils', 'fdisk', 'qemu-guest-agent'],
  // has a network
  ...['systemd-resolved', 'libnss-resolve', 'systemd-timesyncd', 'iproute2', 'iputils-ping', 'netbase'],
  ...['ca-certificates', 'curl', 'wget', 'openssh-server'],
  // is pleasant to work in
  ...['sudo', 'bash-completion', 'less', 'nano', 'vim-tiny', 'procps', 'psmisc', 'file', 'libpam-systemd'],
  ...['e2fsprogs', 'dosfstools', 'apt-utils', 'tzdata', 'unattended-upgrades', 'lsb-release'],
]

import { layoutNames } from '@hearth/shared/keyboard-layouts'
import { maxScreens } from '@hearth/shared/screens'
import { watchdogActions } from '@hearth/shared/watchdog'
import { BOOT_CHOICES } from '../boot/choice.ts'
import { DEFAULTS, MAX_CPUS } from './run-options.ts'

export const USAGE = `Usage: hearth-vmm run [--kernel FILE] [OPTION]…
       hearth-vmm wait
Runs one virtual machine until it powers off. "wait" gets everything ready for one, says so on standard error, and
runs it when a line {"run": ["--kernel", …], "log": "/FILE"} comes on standard input ("log" may be left out).

  --kernel FILE               Linux bzImage (vmlinuz) or x86-64 ELF kernel (vmlinux); without one, firmware
                              starts what is on the first disk that can be started
  --boot HOW                  ${BOOT_CHOICES.join(', ')}
                              (default: auto, by looking at the kernel or the first disk)
  --uefi-vars FILE            where UEFI keeps its variables; made when it is not there
  --firmware-log FILE         what the firmware says of itself
  --restore FOLDER            go on from a snapshot instead of booting; give the same disks and networks
                              (--kernel is then only needed for the guest's next reset)
  --snapshot-slot FOLDER      where the control method "snapshot" writes when it names no folder
  --initrd FILE               initial RAM disk
  --module 'FILE [TEXT]'      a Multiboot module; may be given several times
  --cmdline TEXT              kernel command line (default: ${DEFAULTS.commandLine})
  --memory SIZE               for example 512M or 2G (default: 512M)
  --huge-pages                memory from the host's reserved pages of 2 MiB (sysctl vm.nr_hugepages)
  --prefault                  take all of the memory at the start
  --keep-memory               memory that the guest frees stays with it instead of going back to the host
  --transitional              virtio devices with the legacy interface, too (Multiboot kernels have it anyway)
  --cpus N                    1 to ${MAX_CPUS} (default: 1)
  --disk FILE[,ro][,format=raw|qcow2][,serial=NAME][,cache=writeback|none|writethrough]
                              a disk (default: raw); may be given several times. A qcow2 image has to be one
                              of Hearth's own kind; the files it is based on are opened too
  --cdrom FILE                an ISO image in a CD-ROM drive; may be given several times
  --boot-order LIST           what firmware tries, for example cdrom,disk (default: disks, then CD-ROMs)
  --net tap:NAME[,mac=MAC]    a TAP device; may be given several times
  --net passt:SOCKET[,mac=MAC]
                              the socket of a running passt
  --disk-limit bytes=SIZE,ops=N[,burst=SECONDS]
                              what each disk may do in a second, or one of both; what it left unused in SECONDS
                              (default: 1) it may do at once
  --net-limit bytes=SIZE,ops=N[,burst=SECONDS]
                              the same for what each network sends, and for what it receives (ops: packets)
  --serial stdio              serial console on this terminal (default); Ctrl-A x ends the machine
  --serial unix:PATH          serial console on a socket, for several viewers at once; with ,scrollback-line each
                              connection begins with a line of JSON that says how much scrollback comes first
  --serial-log FILE           keep the console's output (1 MiB, and one file before that)
  --display unix:PATH         a screen with keyboard and pointer, as VNC (RFB) on a socket
  --keyboard LAYOUT           layout for VNC viewers that send characters: ${layoutNames.join(', ')} (default: us)
  --screens N                 how many screens, side by side in one picture: 1 to ${maxScreens} (default: 1)
  --port NAME,unix:PATH       a channel to /dev/virtio-ports/NAME of the guest, for one program at a time; for example
                              org.qemu.guest_agent.0; may be given several times
  --control unix:PATH         control socket
  --no-reboot                 end when the guest resets
  --virtio pci|mmio[,cmdline] how virtio devices reach a kernel (default: pci); mmio is told by ACPI, with
                              cmdline on the kernel's command line as well
  --vsock CID,unix:PATH       sockets (AF_VSOCK): programs reach the guest's port n by connecting to PATH and writing
                              "CONNECT n"; the guest reaches port n of host 2 where one listens at PATH_n
  --share path=FOLDER,tag=NAME[,write][,uid=N]
                              a folder of the host, up to 4: "mount -t virtiofs NAME /mnt" in the guest. For reading,
                              unless ",write" is said; all in it belongs to the guest's user N (default: 1000)
  --watchdog ACTION           a watchdog timer (Intel 6300ESB), and what follows when the guest hangs:
                              ${watchdogActions.join(', ')}
  --generation-id UUID|new    tells the guest whether a twin of it may exist: another one is given to a copy or an
                              older state (default: the snapshot's with --restore, else a new one)
  --name TEXT                 shown in the process list
  --jail namespaces[,uid=N][,net=FD][,cgroup=FOLDER]
                              for the agent: empty the root, become the user; in namespaces made before
  --no-jail                   no system call filter and no Landlock, for development only

Exit codes: 0 powered off, 1 bad command line, 2 the host refuses, 10 reset with --no-reboot,
11 the guest crashed, 70 internal error.
`

/*
 * kvm-loop FILE: runs FILE, flat code for 1 MiB in 32-bit protected mode, in a VM without any device, and copies what
 * it writes to the first serial port to standard output. It does as little as a monitor can do on an exit, in C: what
 * a port access costs here is the price of KVM and the processor.
 */
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#define RAM (4u << 20)
#define CODE (1u << 20)
#define COM1 0x3f8

static void die(const char *what) {
  perror(what);
  exit(1);
}

static struct kvm_segment flat(uint16_t selector, uint8_t type) {
  struct kvm_segment segment = {.base = 0, .limit = 0xffffffff, .selector = selector, .type = type};
  segment.present = segment.s = segment.db = segment.g = 1;
  return segment;
}

int main(int argc, char **argv) {
  if (argc != 2) return 2;
  int kvm = open("/dev/kvm", O_RDWR);
  if (kvm < 0) die("/dev/kvm");
  int vm = ioctl(kvm, KVM_CREATE_VM, 0);
  if (vm < 0) die("KVM_CREATE_VM");
  uint8_t *ram = mmap(0, RAM, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (ram == MAP_FAILED) die("mmap");
  int file = open(argv[1], O_RDONLY);
  if (file < 0 || read(file, ram + CODE, RAM - CODE) <= 0) die(argv[1]);
  struct kvm_userspace_memory_region region = {.memory_size = RAM, .userspace_addr = (uint64_t)ram};
  if (ioctl(vm, KVM_SET_USER_MEMORY_REGION, &region) < 0) die("KVM_SET_USER_MEMORY_REGION");
  int vcpu = ioctl(vm, KVM_CREATE_VCPU, 0);
  if (vcpu < 0) die("KVM_CREATE_VCPU");
  struct kvm_run *run = mmap(0, ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0), PROT_READ | PROT_WRITE, MAP_SHARED, vcpu, 0);
  if (run == MAP_FAILED) die("mmap of kvm_run");
  struct kvm_sregs sregs;
  if (ioctl(vcpu, KVM_GET_SREGS, &sregs) < 0) die("KVM_GET_SREGS");
  sregs.cs = flat(8, 11);
  sregs.ds = sregs.es = sregs.fs = sregs.gs = sregs.ss = flat(16, 3);
  sregs.cr0 |= 1;
  if (ioctl(vcpu, KVM_SET_SREGS, &sregs) < 0) die("KVM_SET_SREGS");
  struct kvm_regs regs = {.rip = CODE, .rflags = 2};
  if (ioctl(vcpu, KVM_SET_REGS, &regs) < 0) die("KVM_SET_REGS");
  for (;;) {
    if (ioctl(vcpu, KVM_RUN, 0) < 0) die("KVM_RUN");
    if (run->exit_reason == KVM_EXIT_HLT) pause();
    if (run->exit_reason != KVM_EXIT_IO) return 3;
    if (run->io.direction == KVM_EXIT_IO_OUT && run->io.port == COM1) {
      if (write(1, (uint8_t *)run + run->io.data_offset, run->io.size) < 0) return 4;
    } else if (run->io.direction == KVM_EXIT_IO_IN) {
      memset((uint8_t *)run + run->io.data_offset, 0, run->io.size * run->io.count);
    }
  }
}

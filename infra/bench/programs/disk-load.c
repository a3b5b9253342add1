/*
 * disk-load FILE read|write WORKERS COUNT: COUNT accesses of 4 KiB at random places, past the page cache, by WORKERS
 * processes at once, so that as many are in flight. Prints the microseconds it took.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define BLOCK 4096

static int work(const char *file, int writes, uint64_t seed, int count) {
  int fd = open(file, (writes ? O_WRONLY : O_RDONLY) | O_DIRECT);
  void *block;
  if (fd < 0 || posix_memalign(&block, BLOCK, BLOCK)) return 1;
  memset(block, 7, BLOCK);
  uint64_t blocks = lseek(fd, 0, SEEK_END) / BLOCK;
  for (int i = 0; i < count; i++) {
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    off_t at = (off_t)((seed >> 33) % blocks) * BLOCK;
    if ((writes ? pwrite(fd, block, BLOCK, at) : pread(fd, block, BLOCK, at)) != BLOCK) return 1;
  }
  return 0;
}

int main(int argc, char **argv) {
  if (argc != 5) return 2;
  int workers = atoi(argv[3]), count = atoi(argv[4]), failed = 0;
  struct timespec begin, end;
  clock_gettime(CLOCK_MONOTONIC, &begin);
  for (int i = 0; i < workers; i++) {
    if (fork() == 0) _exit(work(argv[1], argv[2][0] == 'w', i + 1, count / workers));
  }
  for (int i = 0, status; i < workers; i++) {
    wait(&status);
    failed |= status;
  }
  clock_gettime(CLOCK_MONOTONIC, &end);
  printf("microseconds %lld\n",
         (end.tv_sec - begin.tv_sec) * 1000000LL + (end.tv_nsec - begin.tv_nsec) / 1000);
  return failed != 0;
}

/**
 * The virtio devices under Debian's own drivers, inside the lab: data both ways through disk and network,
 * checked by sums, with one and two vCPUs, with MSI-X and with interrupt pins, and over a reset in full flight.
 */
import assert from 'node:assert/strict'
import { mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { afterEach, before, test } from 'node:test'
import { buildPrograms } from '../../../../infra/build/programs.ts'
import { debianKernel } from '../../../../infra/lab/debian-kernel.ts'
import type { Lab } from '../../../../infra/lab/lab.ts'
import { sharedLab, sharedLabData, sharedScratch } from '../../../../infra/lab/shared.ts'
import { cacheDirectory } from '../../../../infra/lib/paths.ts'
import { BOOT_MS, GUEST_CMDLINE, guestInitrd, LabGuest } from '../testing/lab-guest.ts'

const HOST = '192.168.231.1'
const GUEST = '192.168.231.2'
const TAP = 'hearth-virtio'
/** In the lab: on the XFS, so that disks are what they are in the product. */
const FOLDER = `${sharedLabData}/virtio-test`

let lab: Lab
let kernel: string
let initrd: string
const guests: LabGuest[] = []

async function inLab(script: string): Promise<string> {
  const { code, stdout, stderr } = await lab.run('sh', ['-ec', script], { timeoutMs: BOOT_MS })
  assert.equal(code, 0, `${script}\n${stderr}`)
  return stdout.trim()
}

const sumOf = (text: string): string => /[0-9a-f]{32}/.exec(text)?.[0] ?? `no sum in ${text}`

before(async () => {
  await buildPrograms()
  lab = await sharedLab()
  const folder = path.join(sharedScratch(), 'virtio')
  await mkdir(folder)
  const debian = await debianKernel(cacheDirectory, 'cloud-amd64', () => {})
  kernel = debian.vmlinuz
  initrd = path.join(folder, 'initrd')
  await writeFile(initrd, await guestInitrd(debian.modules, ['virtiofs']))
  await inLab(`
    mkdir -p ${FOLDER}/www ${FOLDER}/read && cd ${FOLDER}
    dd if=/dev/urandom of=a.raw bs=1M count=24 2>/dev/null
    truncate -s 24M b.raw
    dd if=/dev/urandom of=www/file bs=1M count=8 2>/dev/null
    (cd read && seq 1000 | xargs touch)
    ln -s /etc/passwd www/link
    ip tuntap add ${TAP} mode tap vnet_hdr multi_queue
    ip addr add ${HOST}/24 dev ${TAP}
    ip link set ${TAP} up`)
})

afterEach(async () => {
  for (const guest of guests.splice(0)) await guest.process.stop(1000)
})

async function boot(args: readonly string[], commandLine = ''): Promise<LabGuest> {
  const guest = new LabGuest(lab, [
    ...['--kernel', kernel, '--initrd', initrd, '--memory', '256M'],
    ...['--cmdline', `${GUEST_CMDLINE} run=shell ${commandLine}`],
    ...args,
  ])
  guests.push(guest)
  await guest.until(/guest# /)
  return guest
}

async function powerOff(guest: LabGuest): Promise<void> {
  await guest.type('poweroff -f\n')
  assert.deepEqual(await guest.end(), { code: 0, line: 'hearth-vmm: the guest powered off' })
}

const disks = ['--disk', `${FOLDER}/a.raw,ro`, '--disk', `${FOLDER}/b.raw`]

const shares = ['--share', `path=${FOLDER}/www,tag=work,write`, '--share', `path=${FOLDER}/read,tag=read`]

/** Shared folders under Debian's virtiofs: data both ways, names, and what is refused. */
async function useShares(guest: LabGuest, life: string): Promise<void> {
  await guest.shell('mkdir -p /shared /read; mount -t virtiofs work /shared; mount -t virtiofs read /read')
  const file = sumOf(await inLab(`md5sum ${FOLDER}/www/file`))
  assert.equal(sumOf(await guest.shell('md5sum /shared/file')), file, life)
  await guest.shell(
    `mkdir /shared/${life}; cp /shared/file /shared/${life}/a; cat /shared/file >> /shared/${life}/a`,
  )
  await guest.shell(`mv /shared/${life}/a /shared/${life}/b; mkdir /shared/gone; rmdir /shared/gone`)
  const twice = sumOf(await inLab(`cat ${FOLDER}/www/file ${FOLDER}/www/file | md5sum`))
  assert.equal(sumOf(await inLab(`md5sum ${FOLDER}/www/${life}/b`)), twice, life)
  assert.equal(await inLab(`ls ${FOLDER}/www`), (await guest.shell('ls -1 /shared')).trim(), life)
  assert.match(await guest.shell('ls /read | wc -l; ls -ln /read | grep -c "1000 *1000 "'), /^1000\s+1000\s/)
  assert.match(await guest.shell('touch /read/new'), /Read-only file system/)
  // The guest's own, not the host's.
  assert.match(
    await guest.shell('readlink /shared/link; cat /shared/link'),
    /^\/etc\/passwd\s.*No such file/s,
  )
  await inLab(`rm -r ${FOLDER}/www/${life}`)
  assert.match(await guest.shell(`sleep 1; ls /shared/${life}`), /No such file/)
}

test('disk, network and folders with two vCPUs, and again after a reset in full flight', async () => {
  const guest = await boot(['--cpus', '2', ...disks, '--net', `tap:${TAP}`, ...shares])
  const server = lab.spawn('busybox', ['httpd', '-f', '-p', `${HOST}:8123`, '-h', `${FOLDER}/www`])
  try {
    for (const life of ['first', 'second']) {
      await guest.shell(`ip link set eth0 up; ip addr add ${GUEST}/24 dev eth0`)
      assert.match(await guest.shell('grep -c PCI-MSI /proc/interrupts'), /^[1-9]/, life)

      assert.equal(
        (await guest.shell('ls /sys/block/vda/mq; ls /sys/class/net/eth0/queues')).match(/\S+/g)?.join(),
        '0,1,rx-0,rx-1,tx-0,tx-1',
        life,
      )

      const whole = await inLab(`md5sum ${FOLDER}/a.raw`)
      assert.equal(sumOf(await guest.shell('md5sum /dev/vda')), sumOf(whole), life)
      await guest.shell('dd if=/dev/vda of=/dev/vdb bs=64k conv=fsync 2>/dev/null')
      assert.equal(sumOf(await inLab(`md5sum ${FOLDER}/b.raw`)), sumOf(whole), life)
      assert.equal(
        sumOf(await guest.shell('dd if=/dev/vdb bs=4k iflag=direct count=64 2>/dev/null | md5sum')),
        sumOf(await inLab(`head -c 262144 ${FOLDER}/a.raw | md5sum`)),
        life,
      )

      await useShares(guest, life)
      assert.match(await guest.shell(`ping -c 3 -i 0.2 -s 4000 ${HOST}`), / 0% packet loss/, life)
      const file = sumOf(await inLab(`md5sum ${FOLDER}/www/file`))
      const get = `wget -q -O - http://${HOST}:8123/file | md5sum`
      assert.equal(sumOf(await guest.shell(get)), file, life)
      // The other way: the guest serves its own disk's first half.
      await guest.shell(
        'mkdir -p /www; dd if=/dev/vda of=/www/half bs=1M count=12 2>/dev/null; httpd -h /www',
      )
      const fetched = await inLab(`busybox wget -q -O - http://${GUEST}/half | md5sum`)
      assert.equal(sumOf(fetched), sumOf(await inLab(`head -c 12582912 ${FOLDER}/a.raw | md5sum`)), life)

      if (life === 'second') break
      await guest.shell(`(while :; do dd if=/dev/vda of=/dev/null bs=256k iflag=direct; done) >/dev/null 2>&1 &
        (while :; do dd if=/dev/zero of=/dev/vdb bs=64k; done) >/dev/null 2>&1 &
        (while :; do nc -u -l -p 9; done) >/dev/null 2>&1 &
        sleep 2`)
      // Only towards the guest: Linux breaks its virtio devices before it restarts, and a processor that sends then may spin
      // for ever over a queue whose buffers came back (its loop ends when the device is no longer broken).
      const flood = lab.spawn('bash', [
        '-c',
        `while :; do head -c 30000 /dev/zero > /dev/udp/${GUEST}/9; done 2>/dev/null`,
      ])
      await guest.type('reboot -f\n')
      await guest.until(/GUEST UP[\s\S]*guest# /)
      await flood.stop(1000)
    }
    await guest.shell('blkdiscard /dev/vdb')
    assert.equal(await inLab(`stat -c %b ${FOLDER}/b.raw`), '0')
    assert.match(await guest.shell('dd if=/dev/zero of=/dev/vda bs=512 count=1 2>&1'), /./, 'read-only')
    assert.equal(await guest.shell("dmesg | grep -iE 'virtio.*(fail|error|bad|broken)|I/O error'"), '')
    await powerOff(guest)
  } finally {
    await server.stop(1000)
  }
})

test('one vCPU with interrupt pins instead of messages, and passt for a network', async () => {
  const socket = `${FOLDER}/passt.sock`
  await inLab(`chmod 777 ${FOLDER}`)
  const options = [
    '--foreground',
    '--quiet',
    '--socket',
    socket,
    '-a',
    '10.98.0.2',
    '-n',
    '24',
    '-g',
    '10.98.0.1',
  ]
  const passt = lab.spawn('passt', [...options, '--mtu', '1500'])
  try {
    await inLab(`until [ -S ${socket} ]; do sleep 0.1; done`)
    const guest = await boot(['--cpus', '1', ...disks, '--net', `passt:${socket}`], 'pci=nomsi')
    assert.match(await guest.shell('grep virtio /proc/interrupts'), /IO-APIC/)
    assert.equal(await guest.shell('grep -c PCI-MSI /proc/interrupts'), '0\n')
    assert.equal(sumOf(await guest.shell('md5sum /dev/vda')), sumOf(await inLab(`md5sum ${FOLDER}/a.raw`)))
    await guest.shell('ip link set eth0 up')
    assert.match(
      await guest.shell('udhcpc -n -q -i eth0 -s /bin/true 2>&1'),
      /lease of 10\.98\.0\.2 obtained/,
    )
    await powerOff(guest)
  } finally {
    await passt.stop(1000)
  }
})

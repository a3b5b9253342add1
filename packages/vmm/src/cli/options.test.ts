import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ExitError } from '../sys/exit-error.ts'
import { parseRunOptions, vmmCommandLine } from './options.ts'
import { USAGE } from './usage.ts'

const parse = (...args: string[]) => parseRunOptions(['--kernel', 'k', ...args])
const refusal = (args: readonly string[]): string => {
  try {
    parseRunOptions(args)
  } catch (error) {
    assert.ok(error instanceof ExitError)
    assert.equal(error.code, 1)
    assert.ok(!error.message.includes('\n'))
    return error.message
  }
  return assert.fail(`accepted: ${args.join(' ')}`)
}

test('what is not given has defaults', () => {
  const options = parse()
  assert.equal(options.memoryBytes, 512 * 2 ** 20)
  assert.equal(options.cpus, 1)
  assert.equal(options.commandLine, 'console=ttyS0')
  assert.deepEqual(options.serial, { kind: 'stdio' })
  assert.equal(options.noReboot, false)
})

test('a generation ID is a UUID or asked for as a new one', () => {
  const id = '00112233-4455-6677-8899-AABBCCDDEEFF'
  assert.equal(parse('--generation-id', id).generationId, id.toLowerCase())
  assert.equal(parse('--generation-id=new').generationId, 'new')
  assert.deepEqual(vmmCommandLine(parse('--generation-id', 'new')).slice(-2), ['--generation-id', 'new'])
  assert.match(refusal(['--kernel', 'k', '--generation-id', '42']), /write new, or a UUID/)
})

test('virtio over MMIO needs a kernel, and no legacy interface', () => {
  assert.equal(parse('--virtio', 'pci').mmio, undefined)
  assert.deepEqual(parse('--virtio=mmio').mmio, { announced: false })
  assert.deepEqual(vmmCommandLine(parse('--virtio', 'mmio,cmdline')).slice(-2), ['--virtio', 'mmio,cmdline'])
  assert.match(refusal(['--kernel', 'k', '--virtio', 'isa']), /write pci, mmio or mmio,cmdline/)
  assert.match(refusal(['--disk', 'd', '--virtio', 'mmio']), /needs --kernel/)
  assert.match(refusal(['--kernel', 'k', '--virtio', 'mmio', '--transitional']), /leave one of them away/)
})

test('vsock needs a number that a guest may have, and a path with room for ports behind it', () => {
  assert.deepEqual(parse('--vsock', '3,unix:/run/v,s').vsock, { cid: 3, path: '/run/v,s' })
  assert.deepEqual(vmmCommandLine(parse('--vsock=4294967294,unix:v')).slice(-2), [
    '--vsock',
    '4294967294,unix:v',
  ])
  for (const wrong of ['2,unix:v', '4294967295,unix:v', 'unix:v', '3,v', '3,unix:']) {
    assert.match(refusal(['--kernel', 'k', '--vsock', wrong]), /write CID,unix:PATH/)
  }
  assert.match(refusal(['--kernel', 'k', '--vsock', `3,unix:${'v'.repeat(97)}`]), /at most 96 bytes/)
})

test('a shared folder has a tag of its own, and is for reading unless it is said', () => {
  const shares = [
    { path: '/srv/a,b', tag: 'music', writable: false, owner: 1000 },
    { path: 'here', tag: 'work', writable: true, owner: 0 },
  ]
  const args = ['--share', 'path=/srv/a,b,tag=music', '--share=path=here,tag=work,write,uid=0']
  const options = parse(...args)
  assert.deepEqual(options.shares, shares)
  assert.deepEqual(parseRunOptions(vmmCommandLine(options).slice(1)).shares, shares)
  for (const wrong of ['/srv', 'path=/srv', 'tag=a', 'path=,tag=a', 'tag=a,path=/srv']) {
    assert.match(refusal(['--kernel', 'k', '--share', wrong]), /write path=FOLDER,tag=NAME/, wrong)
  }
  for (const tag of ['', 'a b', 'x'.repeat(37), 'ä']) {
    assert.match(refusal(['--kernel', 'k', '--share', `path=/srv,tag=${tag}`]), /1 to 36 letters/)
  }
  assert.match(refusal(['--kernel', 'k', '--share', 'path=/,tag=a,uid=4294967295']), /no user 4294967295/)
  const twice = ['a', 'a'].flatMap((tag) => ['--share', `path=/srv,tag=${tag}`])
  assert.match(refusal(['--kernel', 'k', ...twice]), /two folders have the tag a/)
  const many = ['a', 'b', 'c', 'd', 'e'].flatMap((tag) => ['--share', `path=/srv,tag=${tag}`])
  assert.match(refusal(['--kernel', 'k', ...many]), /5 shared folders are too many: at most 4/)
})

test('two ports of one name are refused: the guest would find one of them by it', () => {
  const ports = ['a', 'a'].flatMap((name, i) => ['--port', `${name},unix:/run/${i}`])
  assert.match(refusal(['--kernel', 'k', ...ports]), /two ports have the name a/)
})

test('a watchdog needs an action that there is', () => {
  assert.equal(parse('--watchdog', 'pause').watchdog, 'pause')
  assert.deepEqual(vmmCommandLine(parse('--watchdog=event')).slice(-2), ['--watchdog', 'event'])
  assert.match(refusal(['--kernel', 'k', '--watchdog', 'bark']), /give one of reset, poweroff, pause, event/)
})

test('every option is read, in both spellings', () => {
  const options = parse(
    ...[
      '--initrd=i',
      '--cmdline',
      '--quiet',
      '--memory',
      '1.5G',
      '--cpus=4',
      '--no-reboot',
      '--name',
      'web-1',
    ],
    ...[
      '--disk',
      'a,b.raw',
      '--disk',
      'c.raw,ro',
      '--net',
      'tap:t0,mac=02:AA:00:00:00:01',
      '--net',
      'passt:/p,x',
    ],
    ...['--serial', 'unix:/s', '--serial-log', 'l', '--control', 'unix:/c'],
  )
  assert.equal(options.initrd, 'i')
  assert.equal(options.commandLine, '--quiet')
  assert.equal(options.memoryBytes, 1536 * 2 ** 20)
  assert.equal(options.cpus, 4)
  assert.equal(options.noReboot, true)
  assert.deepEqual(
    options.disks.map(({ path, readOnly }) => [path, readOnly]),
    [
      ['a,b.raw', false],
      ['c.raw', true],
    ],
  )
  assert.deepEqual(options.nets, [
    { kind: 'tap', target: 't0', mac: '02:aa:00:00:00:01' },
    { kind: 'passt', target: '/p,x', mac: undefined },
  ])
  assert.deepEqual(options.serial, { kind: 'unix', path: '/s' })
  assert.equal(options.control, '/c')
  assert.equal(options.name, 'web-1')
  assert.deepEqual(parseRunOptions(vmmCommandLine(options).slice(1)), options)
})

test('without a kernel firmware starts the disks, and the arguments say so again', () => {
  const options = parseRunOptions([
    '--disk',
    'd',
    '--boot',
    'uefi',
    '--uefi-vars',
    'v',
    '--firmware-log',
    'l',
  ])
  assert.equal(options.kernel, undefined)
  assert.deepEqual([options.boot, options.uefiVariables, options.firmwareLog], ['uefi', 'v', 'l'])
  assert.deepEqual(parseRunOptions(vmmCommandLine(options).slice(1)), options)
})

test('each mistake is named in one line', () => {
  const k = ['--kernel', 'k']
  for (const [args, pattern] of [
    [[], /nothing to boot/],
    [['--kernel'], /--kernel needs a value/],
    [['--kernel', '--memory', '1G'], /--kernel needs a value/],
    [[...k, ...k], /--kernel is given twice/],
    [[...k, '--boot', 'grub'], /give one of auto/],
    [[...k, '--boot', 'bios'], /leave --kernel away/],
    [['--boot', 'pvh', '--disk', 'd'], /needs --kernel/],
    [['--disk', 'd', '--initrd', 'i'], /belongs to a kernel/],
    [[...k, '--uefi-vars', 'v'], /leave --kernel away/],
    [['--disk', 'd', '--boot', 'bios', '--uefi-vars', 'v'], /needs --boot uefi/],
    [[...k, '--frob', 'x'], /no option --frob/],
    [[...k, 'x'], /"x" stands alone/],
    [[...k, '--memory', 'lots'], /not a size/],
    [[...k, '--memory', '1M'], /out of range/],
    [[...k, '--memory', '2000T'], /out of range/],
    [[...k, '--memory', '8388609'], /whole number of MiB/],
    [[...k, '--cpus', '0'], /1 to 32/],
    [[...k, '--cpus', '33'], /1 to 32/],
    [[...k, '--cpus', '2x'], /1 to 32/],
    [[...k, '--disk', ',ro'], /file is missing/],
    [[...k, '--disk', 'd', '--disk', 'd,ro'], /given twice/],
    [[...k, '--net', 'user'], /tap:NAME or passt:SOCKET/],
    [[...k, '--net', 'tap:a-name-that-is-too-long'], /1 to 15 characters/],
    [[...k, '--net', 'tap:../x'], /1 to 15 characters/],
    [[...k, '--net', 'tap:t,mac=01:00:00:00:00:00'], /not the address of one network card/],
    [[...k, '--net', 'tap:t,mac=02:00'], /not the address/],
    [[...k, '--serial', 'tcp:1'], /unix:PATH or stdio/],
    [[...k, '--control', '/c'], /write unix:PATH/],
    [[...k, '--control', `unix:/${'x'.repeat(107)}`], /at most 107 bytes/],
    [[...k, '--no-reboot=yes'], /takes no value/],
    [[...k, '--name', 'a\0b'], /zero byte/],
  ] as const) {
    assert.match(refusal(args), pattern)
  }
})

test('limits of disks and networks', () => {
  for (const [text, limit] of [
    ['bytes=10M', { bytesPerSecond: 10 * 2 ** 20, operationsPerSecond: undefined }],
    ['ops=500', { bytesPerSecond: undefined, operationsPerSecond: 500 }],
    ['bytes=1.5K,ops=1', { bytesPerSecond: 1536, operationsPerSecond: 1 }],
    ['ops=50,burst=10', { bytesPerSecond: undefined, operationsPerSecond: 50, burstSeconds: 10 }],
  ] as const) {
    const options = parse('--disk-limit', text, '--net-limit', text)
    assert.deepEqual([options.diskLimit, options.netLimit], [limit, limit])
    assert.deepEqual(parseRunOptions(vmmCommandLine(options).slice(1)), options)
  }
  for (const text of [
    'bytes=0',
    'ops=0',
    'burst=5',
    'ops=1,burst=0',
    'ops=-1',
    'bytes=lots',
    'bytes=',
    '10M',
    ',',
    'ops=1,bytes=1',
  ]) {
    assert.match(refusal(['--kernel', 'k', '--net-limit', text]), /write bytes=SIZE,ops=N/, text)
  }
})

test('a serial socket, with and without a line about its scrollback', () => {
  for (const [text, serial] of [
    ['unix:/s', { kind: 'unix', path: '/s' }],
    ['unix:/s,scrollback-line', { kind: 'unix', path: '/s', scrollbackLine: true }],
  ] as const) {
    const options = parse('--serial', text)
    assert.deepEqual(options.serial, serial)
    assert.deepEqual(parseRunOptions(vmmCommandLine(options).slice(1)), options)
  }
})

test('the jail: what a process can do alone, unless told otherwise', () => {
  assert.deepEqual(parse().jail, { kind: 'process' })
  const namespaces = { kind: 'namespaces', uid: 1879048192, hostNetwork: 3, controlGroup: '/sys/a,b' }
  for (const [args, jail] of [
    [['--no-jail'], { kind: 'none' }],
    [
      ['--jail', 'namespaces'],
      { kind: 'namespaces', uid: undefined, hostNetwork: undefined, controlGroup: undefined },
    ],
    [['--jail', 'namespaces,uid=1879048192,net=3,cgroup=/sys/a,b'], namespaces],
  ] as const) {
    const options = parse(...args)
    assert.deepEqual(options.jail, jail)
    assert.deepEqual(parseRunOptions(vmmCommandLine(options).slice(1)), options)
  }
  const k = ['--kernel', 'k']
  assert.match(refusal([...k, '--jail', 'namespaces,uid=0']), /write namespaces/)
  assert.match(refusal([...k, '--jail', 'chroot']), /write namespaces/)
  assert.match(refusal([...k, '--jail', 'namespaces', '--no-jail']), /exclude each other/)
  assert.match(refusal([...k, '--no-jail=1']), /takes no value/)
})

test('the help names every option the parser takes', () => {
  for (const option of [
    'kernel',
    'initrd',
    'cmdline',
    'memory',
    'cpus',
    'disk',
    'net',
    'serial',
    'serial-log',
  ]) {
    assert.ok(USAGE.includes(`--${option} `), option)
  }
})

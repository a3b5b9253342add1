/** What is listed inside of a sentence (`{,}` and `{;}` in server.ts), in German. */
const amounts: Readonly<Record<string, string>> = {
  '{} VM': '{} VM',
  '{} VMs': '{} VMs',
  '{} vCPU': '{} vCPU',
  '{} vCPUs': '{} vCPUs',
  '{} public port': '{} öffentlicher Port',
  '{} public ports': '{} öffentliche Ports',
  '{} of memory': '{} Arbeitsspeicher',
  '{} of disk space': '{} Plattenplatz',
  '{} of space for snapshots': '{} Platz für Snapshots',
}

export const resources: Readonly<Record<string, string>> = {
  VMs: 'VMs',
  vCPUs: 'vCPUs',
  memory: 'Arbeitsspeicher',
  'disk space': 'Plattenplatz',
  'space for snapshots': 'Platz für Snapshots',
  'public ports': 'öffentliche Ports',
  'vCPUs of one VM': 'vCPUs einer VM',
  'memory of one VM': 'Arbeitsspeicher einer VM',
  'disk of one VM': 'Platte einer VM',
}

/** By their keys, as the home's defaults are told. */
const defaults: Readonly<Record<string, string>> = {
  vms: 'VMs',
  vcpus: 'vCPUs',
  memory: 'Arbeitsspeicher',
  disk: 'Plattenplatz',
  snapshots: 'Platz für Snapshots',
  ports: 'öffentliche Ports',
  vm_vcpus: 'vCPUs einer VM',
  vm_memory: 'Arbeitsspeicher einer VM',
  vm_disk: 'Platte einer VM',
}

const sources: Readonly<Record<string, string>> = {
  'from anywhere': 'von überall',
  'from the home network': 'aus dem Heimnetz',
  'from nobody': 'von niemandem',
}

/** A text for each of some words. */
export function forEach(
  words: Readonly<Record<string, string>>,
  make: (english: string, german: string) => Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  return Object.assign({}, ...Object.entries(words).map(([english, german]) => make(english, german)))
}

export const parts: Readonly<Record<string, string>> = {
  // Why the quota refuses.
  ...forEach(amounts, (english, german) => ({
    [`${english} left (the quota is {}), and this needs {}`]: `noch ${german} (das Kontingent ist {}), nötig ist {}`,
    [`a VM may have at most ${english}, and this one asks for {}`]: `eine VM darf höchstens ${german} haben, diese verlangt {}`,
  })),
  // What of a quota was changed or asked for.
  ...forEach(resources, (english, german) => ({
    [english]: german,
    [`${english} for {}`]: `${german} für {}`,
    [`${english}: the default`]: `${german}: der Standard`,
    [`${english}: unlimited`]: `${german}: unbegrenzt`,
    [`${english}: {}`]: `${german}: {}`,
  })),
  // What of the home was changed.
  'its name is {}': 'es heißt {}',
  "VMs may have {} % of a host's memory": 'VMs dürfen {} % des Arbeitsspeichers eines Hosts haben',
  ...forEach(defaults, (english, german) => ({
    [`${english} by default unlimited`]: `${german} ohne Grenze als Standard`,
    [`${english} by default {}`]: `${german} als Standard {}`,
  })),
  // What of a VM was changed.
  'renamed to {}': 'heißt jetzt {}',
  'now has {} vCPU': 'hat jetzt {} vCPU',
  'now has {} vCPUs': 'hat jetzt {} vCPUs',
  'now has {} of memory': 'hat jetzt {} Arbeitsspeicher',
  'its disk grew to {}': 'ihre Platte ist auf {} gewachsen',
  'now starts with its host': 'startet jetzt mit ihrem Host',
  'no longer starts with its host': 'startet nicht mehr mit ihrem Host',
  'starts as its image does': 'startet wie ihr Abbild',
  'starts by the kernel beside its disk': 'startet mit dem Kernel neben ihrer Platte',
  'starts by BIOS': 'startet mit BIOS',
  'starts by UEFI': 'startet mit UEFI',
  'has a screen from its next start on': 'hat ab dem nächsten Start einen Bildschirm',
  'has no screen from its next start on': 'hat ab dem nächsten Start keinen Bildschirm',
  'may write the folder {} from its next start on': 'darf ab dem nächsten Start in den Ordner {} schreiben',
  'may read the folder {} from its next start on': 'darf ab dem nächsten Start den Ordner {} lesen',
  'loses the folder {} at its next start': 'verliert beim nächsten Start den Ordner {}',
  'has no watchdog from its next start on': 'hat ab dem nächsten Start keinen Watchdog',
  'is reset when its guest hangs, from its next start on':
    'wird ab dem nächsten Start zurückgesetzt, wenn ihr Gast hängt',
  'is switched off when its guest hangs, from its next start on':
    'wird ab dem nächsten Start ausgeschaltet, wenn ihr Gast hängt',
  'is held still when its guest hangs, from its next start on':
    'wird ab dem nächsten Start angehalten, wenn ihr Gast hängt',
  'is spoken of when its guest hangs, from its next start on':
    'wird ab dem nächsten Start gemeldet, wenn ihr Gast hängt',
  'its keyboard is now {}': 'ihre Tastatur ist jetzt {}',
  'has one screen from its next start on': 'hat ab dem nächsten Start einen Bildschirm',
  'has {} screens from its next start on': 'hat ab dem nächsten Start {} Bildschirme',
  'keeps the memory it frees': 'behält den Speicher, den sie freigibt',
  'gives the memory it frees back to its host': 'gibt freien Speicher ihrem Host zurück',
  'its disk has no limit from its next start on': 'ihre Platte hat ab dem nächsten Start keine Grenze',
  'its network has no limit from its next start on': 'ihr Netz hat ab dem nächsten Start keine Grenze',
  'its disk is limited to {} and {} operations/s from its next start on':
    'ihre Platte ist ab dem nächsten Start auf {} und {} Vorgänge/s begrenzt',
  'its network is limited to {} and {} packets/s from its next start on':
    'ihr Netz ist ab dem nächsten Start auf {} und {} Pakete/s begrenzt',
  'its disk is limited to {} operations/s from its next start on':
    'ihre Platte ist ab dem nächsten Start auf {} Vorgänge/s begrenzt',
  'its network is limited to {} packets/s from its next start on':
    'ihr Netz ist ab dem nächsten Start auf {} Pakete/s begrenzt',
  'its disk is limited to {} from its next start on': 'ihre Platte ist ab dem nächsten Start auf {} begrenzt',
  'its network is limited to {} from its next start on': 'ihr Netz ist ab dem nächsten Start auf {} begrenzt',
  // Its network.
  'is on the network for VMs again': 'ist wieder im Netz für VMs',
  'is on the network {}': 'ist im Netz {}',
  'port {} of the host leads to its port {}': 'Port {} des Hosts führt zu ihrem Port {}',
  'port {} of the host no longer leads to it': 'Port {} des Hosts führt nicht mehr zu ihr',
  ...forEach(sources, (english, german) => ({
    [`lets in connections ${english}`]: `lässt Verbindungen ${german} herein`,
    [`lets in connections ${english} to forwarded ports only`]: `lässt Verbindungen ${german} nur zu weitergeleiteten Ports herein`,
    [`lets in connections ${english} to the ports {}`]: `lässt Verbindungen ${german} zu den Ports {} herein`,
  })),
  // A host's networks.
  'opened the network {} to VMs': 'Netz {} für VMs freigegeben',
  'closed the network {} to more VMs': 'Netz {} für weitere VMs geschlossen',
}

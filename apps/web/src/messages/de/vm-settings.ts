import type { Messages } from '../index.ts'

export const vmSettings: Messages['vmSettings'] = {
  nothingChanged: 'Noch hat sich nichts geändert.',
  name: {
    title: 'Name',
    label: 'Name',
    save: 'Umbenennen',
    saved: (name) => `Sie heißt jetzt ${name}`,
    hint: 'Andere Gäste finden sie sofort unter dem neuen Namen. Der Gast selbst übernimmt ihn beim nächsten Start.',
  },
  size: {
    title: 'Größe',
    hint: 'Gilt ab dem nächsten Start.',
    save: 'Größe ändern',
    saved: (cpus, memory) => `Geändert auf ${cpus} und ${memory}`,
  },
  behaviour: 'Verhalten',
  startAtBoot: 'Mit der Box starten',
  startAtBootHint: 'Nach einem Stromausfall oder Neustart der Box kommt diese VM von selbst wieder.',
  boot: 'Startet mit',
  bootHint: 'Ab dem nächsten Start. Firmware startet den Bootloader auf der Platte der VM, wie bei einem PC.',
  boots: { image: 'Wie ihr Image', direct: 'Kernel', bios: 'BIOS', uefi: 'UEFI' },
  watchdog: 'Wenn sie hängt',
  watchdogHint:
    'Ein Watchdog ab dem nächsten Start. Der Gast muss ihn starten (RuntimeWatchdogSec= in systemd), dann fällt auf, wenn er stillsteht.',
  watchdogs: {
    none: 'Kein Watchdog',
    reset: 'Zurücksetzen',
    poweroff: 'Ausschalten',
    pause: 'Anhalten',
    event: 'Nur melden',
  },
  protect: 'Vor dem Löschen schützen',
  protectHint: 'Niemand löscht sie aus Versehen, weder hier noch über die API, bis das wieder aus ist.',
  labels: {
    title: 'Labels',
    empty: 'Labels fassen VMs zusammen: Liste und API lassen sich danach filtern.',
    add: 'Label hinzufügen',
    placeholder: 'env=zuhause',
    typeFirst: 'Tippe zuerst ein Label ein, etwa env=zuhause.',
    problem: 'Buchstaben, Ziffern, ., _ und -, als Schlüssel oder Schlüssel=Wert; je höchstens 63.',
    remove: (key) => `Label ${key} entfernen`,
  },
  folders: {
    title: 'Geteilte Ordner',
    none: 'Ihr Host teilt keinen Ordner mit VMs. Wer die Box verwaltet, nennt sie in shared-folders.json im Zustandsordner des Agenten.',
    hint: 'Ab ihrem nächsten Start. Im Gast:',
    adminsOnly: 'Nur Administratoren geben einer VM Ordner der Box.',
    gone: 'Ihr Host teilt ihn nicht mehr: Die VM startet damit nicht.',
    label: (name) => `Ordner ${name}`,
    saved: 'Ihre Ordner sind gespeichert',
    rights: { none: 'Nicht geteilt', read: 'Zum Lesen', write: 'Zum Schreiben' },
  },
  danger: {
    title: 'Diese VM löschen',
    delete: 'Löschen',
    text: 'Die VM, ihre Platte und ihre Snapshots sind endgültig weg.',
  },
}

export const vmNetwork: Messages['vmNetwork'] = {
  interface: 'Schnittstelle eth0',
  addresses: 'Adressen',
  whenRunning: 'Sie hat eine Adresse, solange sie läuft.',
  name: 'Name',
  mac: 'MAC',
  device: 'Gerät',
  deviceText: 'virtio, ein Warteschlangenpaar',
  kind: 'Netz',
  kinds: {
    nat: 'Heimnetz der Box: NAT, DHCP und DNS',
    passt: 'Durch den Host selbst (passt), ohne eigenes Netz',
  },
  reach: 'Wer wen erreicht',
  out: {
    title: 'Von der VM in die Welt',
    text: 'Offen: Sie geht mit der Adresse der Box hinaus.',
  },
  between: {
    title: 'Zwischen VMs',
    nat: 'Sie erreichen einander über Adresse und Namen.',
    passt: 'Sie sehen einander nicht.',
  },
  in: {
    title: 'Zur VM',
    nat: 'Von der Box selbst, von anderen VMs und über weitergeleitete Ports, so wie die Firewall es zulässt.',
    passt: 'Nur über weitergeleitete Ports.',
  },
}

import type { Messages } from '../index.ts'

export const ports: Messages['ports'] = {
  title: 'Weitergeleitete Ports',
  add: 'Port weiterleiten',
  empty:
    'Noch führt kein Port zu dieser VM. Leite einen weiter, dann erreicht die VM darauf, wer die Box erreicht.',
  used: (used, limit) => `${used} von ${limit} öffentlichen Ports des Projekts sind vergeben.`,
  remove: (port) => `Weiterleitung von ${port} entfernen`,
  removed: (port) => `${port} führt nicht mehr zur VM`,
  added: (port) => `${port} führt jetzt zur VM`,
  toGuest: (port) => `zu Port ${port} der VM`,
  nextStart: 'Änderungen wirken ab dem nächsten Start der VM.',
  blocked: 'Die Firewall lässt niemanden herein, deshalb sind diese Ports geschlossen.',
  openIn: (address) => `${address} öffnen`,
  lab: 'Dieser Host ist ein Labor: Seine Ports erreicht man aus dem Labor. Die VM selbst erreicht man über ihre Adresse.',
  dialog: {
    title: (name) => `Port zu ${name} weiterleiten`,
    text: 'Was an diesem Port der Box ankommt, geht an die VM.',
    service: 'Wofür',
    custom: 'Etwas anderes',
    services: {
      http: 'Webseite (HTTP, 80)',
      https: 'Webseite, verschlüsselt (HTTPS, 443)',
      ssh: 'SSH (22)',
      dns: 'DNS (53, UDP)',
      wireguard: 'WireGuard (51820, UDP)',
      minecraft: 'Minecraft (25565)',
    },
    protocol: 'Protokoll',
    guestPort: 'Port der VM',
    hostPort: 'Port der Box',
    hostHint: 'Mit ihm verbinden sich andere.',
    needed: 'Gib beide Ports an.',
    taken: 'Dieser Port führt schon zu dieser VM.',
    takenBy: (name) => `Dieser Port führt schon zu ${name}.`,
    confirm: 'Weiterleiten',
  },
}

export const firewall: Messages['firewall'] = {
  title: 'Firewall',
  from: 'Wer sich mit der VM verbinden darf',
  sources: {
    anywhere: 'Alle',
    home: 'Das Zuhause',
    nobody: 'Niemand',
  },
  hints: {
    anywhere: 'Andere VMs, und über weitergeleitete Ports alle, die die Box erreichen.',
    home: 'Andere VMs und das Heimnetz. Über weitergeleitete Ports kommt niemand aus dem Internet herein, auch wenn der Router zur Box weiterleitet.',
    nobody: 'Nur Antworten auf das, was die VM selbst anfragt. Weitergeleitete Ports sind geschlossen.',
  },
  ports: 'Welche Ports der VM',
  all: 'Alle',
  some: 'Nur einige',
  list: 'Ports',
  listHint: 'Zum Beispiel 22, 8000-8010, 53/udp. Weitergeleitete Ports sind ohnehin offen.',
  problem: 'Schreibe Ports wie 22, 8000-8010 oder 53/udp, mit Kommas dazwischen.',
  save: 'Speichern',
  saved: 'Die Firewall ist geändert',
  nothing: 'Es ist nichts geändert.',
  passt:
    'Der Agent dieses Hosts läuft nicht als root: Er kann Ports öffnen und schließen, aber nicht sehen, wer sich verbindet.',
  box: 'Die Box selbst erreicht die VM immer. Offene Verbindungen bleiben offen.',
}

export const limits: Messages['limits'] = {
  title: 'Grenzen',
  of: { disk: 'Jede Platte', network: 'Netz, je Richtung' },
  speed: 'Tempo',
  units: { disk: 'MiB/s', network: 'Mbit/s' },
  operations: { disk: 'Operationen', network: 'Pakete' },
  perSecond: '/s',
  burst: 'Schub',
  seconds: (n) => (n === 1 ? '1 Sekunde' : `${n} Sekunden`),
  none: 'keine',
  hint: 'Damit eine VM den anderen etwas übrig lässt. Schub: Was sie so lange nicht gebraucht hat, darf sie auf einmal brauchen. Ab ihrem nächsten Start.',
  save: 'Speichern',
  saved: 'Die Grenzen sind gespeichert',
  problems: {
    speed: 'Gib ein Tempo von 64 KiB/s bis 100 GiB/s an oder lass es leer.',
    operations: 'Gib eine ganze Zahl ab 10 an oder lass es leer.',
  },
  returnMemory: 'Freien Speicher zurückgeben',
  returnMemoryHint:
    'Was der Gast freigibt, geht an die Box zurück, für andere VMs. Aus: Es bleibt bei dieser, was ihr etwas Zeit spart. Ab ihrem nächsten Start.',
}

export const bridges: Messages['bridges'] = {
  title: (host) => `Netze von ${host}`,
  text: 'VMs sind in einem eigenen Netz hinter der Box. Gib hier eine Bridge der Box frei, dann kann eine VM stattdessen Mitglied deines Heimnetzes sein: mit einer Adresse deines Routers, für jedes Gerät sichtbar.',
  none: 'Diese Box hat noch keine Bridge. Lege eine mit deinem System an (zum Beispiel br0 mit deiner Netzwerkkarte darin, mit netplan, NetworkManager oder systemd-networkd); sie erscheint hier nach Sekunden. WLAN-Karten können nicht in eine Bridge.',
  passt: 'Der Agent dieses Hosts läuft nicht als root und kann VMs nicht an Bridges anschließen.',
  switchHint: 'VMs dürfen daran angeschlossen werden.',
  gone: 'Die Box hat sie nicht mehr.',
  open: (name) => `${name} für VMs freigeben`,
  own: 'Das Netz der VMs (hinter der Box)',
  named: (name) => `${name}: dein Heimnetz`,
  hint: 'Sie bekommt ihre Adresse von deinem Router und ist für jedes Gerät erreichbar, ohne Firewall und weitergeleitete Ports der Box.',
  change: 'Netz',
  changed: (name) => `${name} hat ab dem nächsten Start ein anderes Netz`,
  member: (name) => `Diese VM ist Mitglied des Netzes ${name}`,
  memberText:
    'Sie hat ihre Adresse von diesem Netz und ist dort direkt erreichbar. Die Box leitet keine Ports zu ihr weiter und filtert nichts für sie. Ihre Adresse steht hier, wenn ihr Gastagent (qemu-guest-agent) sie nennt.',
}

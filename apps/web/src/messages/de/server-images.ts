/** What is said while images are made, and what a host refuses about its network and recordings, in German (see server.ts). */
export const images: Readonly<Record<string, string>> = {
  // What the catalogue brings.
  'Debian 12 “bookworm” with cloud-init, SSH and the QEMU guest agent, built from Debian’s own packages.':
    'Debian 12 „bookworm“ mit cloud-init, SSH und QEMU-Gastagent, aus Debians eigenen Paketen gebaut.',
  'Debian 12 with a light desktop on its screen: window manager, panel, files, terminal and editor. Signs its user in by itself.':
    'Debian 12 mit einem kleinen Desktop auf seinem Bildschirm: Fenster, Leiste, Dateien, Terminal und Editor. Meldet seinen Benutzer von selbst an.',
  'Debian’s kernel with a busybox shell, all in memory. Starts in seconds; for a first look and for trying things out.':
    'Debians Kernel mit einer busybox-Shell, ganz im Speicher. Startet in Sekunden; für einen ersten Blick und zum Ausprobieren.',
  'Debian 13 “trixie”, the project’s own cloud image.':
    'Debian 13 „trixie“, das Cloud-Abbild des Projekts selbst.',
  'Debian 12 “bookworm” as the project publishes it, for who does not want the one built here.':
    'Debian 12 „bookworm“, wie das Projekt es herausgibt, für alle, die nicht das hier gebaute wollen.',
  'Ubuntu Server with long-term support, Canonical’s cloud image.':
    'Ubuntu Server mit langer Unterstützung, das Cloud-Abbild von Canonical.',
  'Ubuntu Server “noble” with long-term support, Canonical’s cloud image.':
    'Ubuntu Server „noble“ mit langer Unterstützung, das Cloud-Abbild von Canonical.',
  'Fedora Cloud, close to what is newest.': 'Fedora Cloud, nahe am Neuesten.',
  'Alpine Linux: very small, with OpenRC and musl.': 'Alpine Linux: sehr klein, mit OpenRC und musl.',
  'Arch Linux, rolling: always what is current.': 'Arch Linux, laufend: immer das Aktuelle.',
  'openSUSE Leap, minimal, with cloud-init.': 'openSUSE Leap, klein, mit cloud-init.',
  'openSUSE’s rolling release, minimal, with cloud-init.':
    'Die laufende Ausgabe von openSUSE, klein, mit cloud-init.',
  'Rocky Linux: what Red Hat Enterprise Linux is made of, from its community. Needs a CPU of x86-64-v3.':
    'Rocky Linux: woraus Red Hat Enterprise Linux gemacht ist, von seiner Gemeinschaft. Braucht eine CPU nach x86-64-v3.',
  'Rocky Linux 9, supported until 2032.': 'Rocky Linux 9, unterstützt bis 2032.',
  'AlmaLinux: compatible with Red Hat Enterprise Linux. Needs a CPU of x86-64-v3.':
    'AlmaLinux: verträglich mit Red Hat Enterprise Linux. Braucht eine CPU nach x86-64-v3.',

  // Making, downloading, uploading.
  Downloading: 'Lädt',
  'Unpacking {}': 'Packt {} aus',
  'Setting up {}': 'Richtet {} ein',
  'Kernel: {}': 'Mit dem Kernel {}',
  '{.}\nThe whole log: {}': '{.}\nDas ganze Protokoll: {}',
  'The image builder was stopped.': 'Die Baustelle wurde angehalten.',
  'There is no recipe {}.': 'Ein Rezept {} gibt es nicht.',
  'There is nothing here.': 'Hier ist nichts.',
  'That is no import.': 'Das ist kein Import.',
  'The token is missing or wrong.': 'Das Token fehlt oder ist falsch.',
  'It could not be removed.': 'Es konnte nicht entfernt werden.',
  '{} did not start ({}). It is in the package util-linux.':
    '{} ist nicht gestartet ({}). Es ist im Paket util-linux.',
  '{} did not start ({}). Install the Debian package it is in.':
    '{} ist nicht gestartet ({}). Installiere das Debian-Paket, in dem es ist.',
  'The disk is full. Free some space (an image takes about 3 GiB while it is built).':
    'Die Platte ist voll. Schaffe Platz (ein Abbild braucht beim Bauen etwa 3 GiB).',
  "Debian's package mirror cannot be reached. Check this machine's network and the mirror in /etc/apt/sources.list.":
    'Debians Paketspiegel ist nicht zu erreichen. Prüfe das Netz dieser Maschine und den Spiegel in /etc/apt/sources.list.',
  'The mirror lacks a package. Run "apt-get update" and look at the mirror in /etc/apt/sources.list.':
    'Dem Spiegel fehlt ein Paket. Führe „apt-get update“ aus und prüfe den Spiegel in /etc/apt/sources.list.',
  "The mirror's package lists are older than its packages. Try again in a few minutes.":
    'Die Paketlisten des Spiegels sind älter als seine Pakete. Versuche es in ein paar Minuten noch einmal.',
  'The packages could not be checked. Install the Debian package debian-archive-keyring.':
    'Die Pakete konnten nicht geprüft werden. Installiere das Debian-Paket debian-archive-keyring.',
  'Building an image needs root: start Hearth as root.':
    'Ein Abbild zu bauen braucht root: Starte Hearth als root.',
  'Building Debian 12 needs root, or subordinate ids for this user: run "sudo usermod --add-subuids 100000-165535 --add-subgids 100000-165535 $USER" and start Hearth again.':
    'Debian 12 zu bauen braucht root oder untergeordnete Kennungen für diesen Benutzer: Führe „sudo usermod --add-subuids 100000-165535 --add-subgids 100000-165535 $USER“ aus und starte Hearth neu.',
  '{} is an address of your own network. Fetching images from there is off: an administrator can allow it beside the address.':
    '{} ist eine Adresse deines eigenen Netzes. Von dort zu laden ist ausgeschaltet: Ein Administrator kann es neben der Adresse erlauben.',
  '{} sends the file packed though it was asked not to.':
    '{} schickt die Datei gepackt, obwohl das nicht verlangt war.',
  '{} answers with another part of the file than was asked for.':
    '{} antwortet mit einem anderen Teil der Datei als dem verlangten.',
  'The server sends more than it announced.': 'Der Server schickt mehr, als er angekündigt hat.',
  '{} redirects without saying where to.': '{} leitet um, ohne zu sagen wohin.',
  '{} is not a list of checksums: too long.': '{} ist keine Liste von Prüfsummen: zu lang.',
  'The converted disk is longer than the image said it is.':
    'Die umgewandelte Platte ist länger, als das Abbild von sich sagte.',
  'This is a qcow2 file of version {}; Hearth reads 2 and 3.':
    'Das ist eine qcow2-Datei der Version {}; Hearth liest 2 und 3.',
  'The disk in this qcow2 file is empty.': 'Die Platte in dieser qcow2-Datei ist leer.',
  'The qcow2 file claims an impossible size.': 'Die qcow2-Datei behauptet eine unmögliche Größe.',
  '{} starts by firmware (BIOS or UEFI), which this version of Hearth does not do yet. The image is kept for when it does.':
    '{} startet mit Firmware (BIOS oder UEFI), was diese Fassung von Hearth noch nicht kann. Das Abbild bleibt, bis sie es kann.',
  'The host does not have this image.': 'Der Host hat dieses Abbild nicht.',
  'This API token is unknown, expired or revoked.':
    'Dieses API-Token ist unbekannt, abgelaufen oder widerrufen.',
  'This token may only read. Make one that may write.':
    'Dieses Token darf nur lesen. Mache eines, das schreiben darf.',
  'HEAD or PATCH.': 'HEAD oder PATCH.',
  'HEAD, PATCH or DELETE.': 'HEAD, PATCH oder DELETE.',
  'Upload-Offset and Upload-Length say where this part belongs.':
    'Upload-Offset und Upload-Length sagen, wohin dieser Teil gehört.',
  'One request brings at most 16 MiB.': 'Eine Anfrage bringt höchstens 16 MiB.',
  'This part of an upload is too long.': 'Dieser Teil eines Uploads ist zu lang.',
  'A part of this upload is being written. Ask again where it stands.':
    'Ein Teil dieses Uploads wird gerade geschrieben. Frag noch einmal, wie weit er ist.',
  'The disk of the host is full. Free some space, then go on with the upload.':
    'Die Platte des Hosts ist voll. Schaffe Platz und setze den Upload dann fort.',
  'The disk of the host is nearly full. Free some space, then go on with the upload.':
    'Die Platte des Hosts ist fast voll. Schaffe Platz und setze den Upload dann fort.',
  'At most {} are taken.': 'Höchstens {} werden genommen.',
  'The next byte of this upload is {}, not {}.': 'Das nächste Byte dieses Uploads ist {}, nicht {}.',
  'This is more than the upload was announced with.': 'Das ist mehr, als der Upload angekündigt hat.',
  'This part is longer than was announced or than one request may be.':
    'Dieser Teil ist länger als angekündigt, oder als eine Anfrage sein darf.',
  'There is no such upload.': 'Diesen Upload gibt es nicht.',
  'The upload could not be written.': 'Der Upload konnte nicht geschrieben werden.',
  'The image builder does not answer. Go on with the upload in a moment.':
    'Die Baustelle antwortet nicht. Setze den Upload gleich fort.',

  // The network.
  'This host has no bridge {} (any more). Choose another network for the VM.':
    'Dieser Host hat keine Brücke {} (mehr). Wähle ein anderes Netz für die VM.',
  'This host has no bridge {}.': 'Dieser Host hat keine Brücke {}.',
  "The interface {} exists already and is not this agent's.":
    'Die Schnittstelle {} gibt es schon, und sie gehört nicht diesem Agenten.',
  'No bridge name is free on this machine.': 'Auf dieser Maschine ist kein Name für eine Brücke frei.',
  'No private network is free on this machine.': 'Auf dieser Maschine ist kein privates Netz frei.',
  'The agent of this host does not run as root and cannot tell who connects. Only “nobody” can be enforced here.':
    'Der Agent dieses Hosts läuft nicht als root und weiß nicht, wer sich verbindet. Hier lässt sich nur „niemand“ durchsetzen.',
  'The agent of this host does not run as root and cannot attach a VM to a bridge.':
    'Der Agent dieses Hosts läuft nicht als root und kann keine VM an eine Brücke anschließen.',
  'A VM on a bridge is a member of that network: the box neither forwards ports to it nor filters for it.':
    'Eine VM an einer Brücke gehört zu deren Netz: Die Box leitet ihr keine Ports weiter und filtert nicht für sie.',
  'The agent of this host does not run as root and may not open {}. Choose a port from 1024 on.':
    'Der Agent dieses Hosts läuft nicht als root und darf {} nicht öffnen. Wähle einen Port ab 1024.',
  'The network changes while the VM is off. Shut it down first.':
    'Das Netz ändert sich, während die VM aus ist. Fahre sie zuerst herunter.',

  // Recordings.
  'The VM does not run: there is nothing to record.': 'Die VM läuft nicht: Es gibt nichts aufzunehmen.',
  'The VM has no screen to record.': 'Die VM hat keinen Bildschirm, der aufgenommen werden könnte.',
  'The VM ended meanwhile.': 'Die VM ist inzwischen beendet.',
  'It is still being recorded. Stop it first.': 'Es wird noch aufgenommen. Beende das zuerst.',
  'This recording does not exist any more.': 'Diese Aufnahme gibt es nicht mehr.',
  'Too much is being recorded at once. Stop a recording first.':
    'Es wird zu viel auf einmal aufgenommen. Beende zuerst eine Aufnahme.',
  'The host’s disk is nearly full: it records nothing now.':
    'Die Platte des Hosts ist fast voll: Er nimmt jetzt nichts auf.',
  'The host, which keeps the recordings, is away.': 'Der Host, der die Aufnahmen hat, ist nicht da.',
}

/**
 * More of what is said in English and how it is said in German (see server.ts): by hosts, and about images that come
 * from outside.
 */
export const host: Readonly<Record<string, string>> = {
  // What is done now.
  'A newer version can be built': 'Eine neuere Fassung kann gemacht werden',
  'Asking the server': 'Fragt den Server',
  'Checking the file': 'Prüft die Datei',
  'Unpacking the disk': 'Packt die Platte aus',
  Finishing: 'Macht fertig',
  "Downloading Debian's packages": 'Lädt Debians Pakete',
  "Reading Debian's package lists": 'Liest Debians Paketlisten',
  "Fetching Debian's kernel": 'Holt Debians Kernel',
  'Writing the root file system': 'Schreibt das Dateisystem',
  'Writing the boot loader': 'Schreibt den Bootloader',
  'Making the initial RAM disk': 'Macht die Start-RAM-Disk',
  'Waiting for the host to come back': 'Wartet, bis der Host zurück ist',
  'It was not on the host any more': 'Es war nicht mehr auf dem Host',

  // What a host refuses.
  'A VM with this identity is already on this host.': 'Eine VM mit dieser Kennung ist schon auf diesem Host.',
  'A VM on this host already has the MAC address {}.':
    'Eine VM auf diesem Host hat die MAC-Adresse {} schon.',
  'A snapshot with this identity is already on this host.':
    'Ein Snapshot mit dieser Kennung ist schon auf diesem Host.',
  'A volume with this identity is already on this host.':
    'Eine Platte mit dieser Kennung ist schon auf diesem Host.',
  'It was powered off meanwhile.': 'Sie wurde inzwischen ausgeschaltet.',
  'It was powered off before it was up.': 'Sie wurde ausgeschaltet, bevor sie lief.',
  'This cannot be cancelled any more.': 'Das lässt sich nicht mehr abbrechen.',
  'There is an image {} on this host already.': 'Ein Abbild {} gibt es auf diesem Host schon.',
  'There is no image {} on this host.': 'Ein Abbild {} gibt es auf diesem Host nicht.',
  'This host has {} of disk left; this needs {}. Delete VMs you no longer need.':
    'Dieser Host hat noch {} Plattenplatz; nötig sind {}. Lösche VMs, die du nicht mehr brauchst.',
  'This host has {} of memory; a VM cannot have more.':
    'Dieser Host hat {} Arbeitsspeicher; mehr kann eine VM nicht haben.',
  'This host has {} of memory free; this VM needs {}. Shut down another VM first, or give this one less.':
    'Dieser Host hat {} Arbeitsspeicher frei; diese VM braucht {}. Fahre zuerst eine andere VM herunter, oder gib dieser weniger.',
  '{} has {} of memory left for VMs, and this one needs {}. Stop another VM first; the quota has nothing to do with it.':
    '{} hat noch {} Arbeitsspeicher für VMs, und diese braucht {}. Halte zuerst eine andere VM an; mit dem Kontingent hat das nichts zu tun.',
  'This host has {} CPU; a VM cannot have more.': 'Dieser Host hat {} CPU; mehr kann eine VM nicht haben.',
  'This host has {} CPUs; a VM cannot have more.': 'Dieser Host hat {} CPUs; mehr kann eine VM nicht haben.',
  'This host already has a newer version of this VM (generation {}).':
    'Dieser Host hat schon eine neuere Fassung dieser VM (Generation {}).',
  'The image and the MAC address of a VM cannot be changed.':
    'Abbild und MAC-Adresse einer VM lassen sich nicht ändern.',
  'This VM was written by a newer Hearth (specification version {}, this one reads 1). Update Hearth on this host.':
    'Diese VM hat ein neueres Hearth geschrieben (Fassung {} ihrer Beschreibung, dieses liest 1). Aktualisiere Hearth auf diesem Host.',
  'The VM specification is not valid: {}': 'Die Beschreibung der VM ist nicht gültig: {}',
  'This host does not know that request.': 'Diese Anfrage kennt der Host nicht.',
  'This host could not read the request.': 'Der Host konnte die Anfrage nicht lesen.',
  'This connection is too slow for the events. Connect again.':
    'Diese Verbindung ist zu langsam für die Ereignisse. Verbinde noch einmal.',

  // How a VM ended.
  'Suspended. It goes on where it was at the next start.':
    'Schläft. Beim nächsten Start geht es dort weiter, wo sie war.',
  'Its monitor was killed; perhaps this host ran out of memory.':
    'Ihr Monitor wurde beendet; vielleicht ging diesem Host der Speicher aus.',
  'Its monitor was ended by {}.': 'Ihr Monitor wurde durch {} beendet.',
  'The guest powered itself off.': 'Der Gast hat sich selbst ausgeschaltet.',
  'The guest asked for a restart and was stopped.': 'Der Gast wollte neu starten und wurde angehalten.',
  'Its monitor ended without a word; perhaps it was killed.':
    'Ihr Monitor endete ohne ein Wort; vielleicht wurde er beendet.',
  'Its monitor ended.': 'Ihr Monitor ist beendet.',
  'It could not be started.': 'Sie konnte nicht gestartet werden.',
  'The host restarted while it ran.': 'Der Host startete neu, während sie lief.',

  'The disk of this host cannot be read or written. It may be failing: look at the log of the host (dmesg) and make sure of your backups.':
    'Die Platte dieses Hosts lässt sich nicht lesen oder schreiben. Vielleicht geht sie kaputt: Sieh ins Protokoll des Hosts (dmesg) und sorge für deine Sicherungen.',
  'Rebuilding a VM changes neither its address nor its size.':
    'Eine VM neu aufzusetzen ändert weder ihre Adresse noch ihre Größe.',
  'The disk of this host is full. Delete something, then try again.':
    'Die Platte dieses Hosts ist voll. Lösche etwas und versuche es dann noch einmal.',
  'The disk of this VM is gone from this host.': 'Die Platte dieser VM ist auf diesem Host nicht mehr da.',
  'The {} of this VM is gone from this host ({}). Put it back, or delete the VM.':
    'Ein Teil dieser VM fehlt auf diesem Host: {} ({}). Lege ihn zurück, oder lösche die VM.',
  'This VM does not exist on this host.': 'Diese VM gibt es auf diesem Host nicht.',
  'This VM is not completely created.': 'Diese VM ist nicht fertig erstellt.',
  'This snapshot does not exist on this host.': 'Diesen Snapshot gibt es auf diesem Host nicht.',
  'This volume does not exist on this host.': 'Diese Platte gibt es auf diesem Host nicht.',
  'Another action is still under way on this VM. Wait until it has ended.':
    'An dieser VM wird noch etwas anderes gemacht. Warte, bis das zu Ende ist.',
  'A VM is being made from this snapshot. Wait until that is done.':
    'Aus diesem Snapshot wird gerade eine VM gemacht. Warte, bis das fertig ist.',
  'This snapshot is of another VM. Make a new VM from it instead.':
    'Dieser Snapshot gehört einer anderen VM. Mache stattdessen eine neue VM daraus.',
  'A VM goes back to a snapshot while it is stopped. Shut it down first.':
    'Zurück auf einen Snapshot geht eine VM, während sie aus ist. Fahre sie zuerst herunter.',
  'This VM has no disk: it runs from memory, so there is nothing to keep.':
    'Diese VM hat keine Platte: Sie läuft aus dem Speicher, es gibt also nichts aufzuheben.',
  'This VM has no disk: there is nothing an image could be made of.':
    'Diese VM hat keine Platte: Es gibt nichts, woraus ein Abbild werden könnte.',
  'This VM has no disk that could grow.': 'Diese VM hat keine Platte, die wachsen könnte.',
  'This VM has no kernel beside its disk: it starts by firmware, BIOS or UEFI.':
    'Diese VM hat keinen Kernel neben ihrer Platte: Sie startet mit Firmware, BIOS oder UEFI.',
  'This VM has no disk that firmware could start.':
    'Diese VM hat keine Platte, von der eine Firmware starten könnte.',
  'It is suspended. Start it, or power it off, first.':
    'Sie schläft. Starte sie zuerst, oder schalte sie aus.',
  'It is suspended, and its machine keeps its size. Start it and shut it down, or power it off, first.':
    'Sie schläft und behält so lange ihre Größe. Starte sie und fahre sie herunter, oder schalte sie aus.',
  'It is suspended, and its machine keeps its devices. Start it and shut it down, or power it off, first.':
    'Sie schläft und behält so lange ihre Geräte. Starte sie und fahre sie herunter, oder schalte sie aus.',
  'The disk can grow while the VM is stopped. Shut it down first.':
    'Die Platte wächst, während die VM aus ist. Fahre sie zuerst herunter.',
  'A disk can grow while its VM is stopped. Shut {} down first.':
    'Eine Platte wächst, während ihre VM aus ist. Fahre zuerst {} herunter.',
  'A disk can grow, but not shrink.': 'Eine Platte kann wachsen, aber nicht schrumpfen.',
  'Disks are attached and detached while the VM is stopped. Shut it down first.':
    'Platten werden angeschlossen und gelöst, während die VM aus ist. Fahre sie zuerst herunter.',
  'A disk can be attached to a VM once.': 'Eine Platte kann an eine VM nur einmal angeschlossen werden.',
  'This disk is being changed. Wait until that is done.':
    'Diese Platte wird gerade geändert. Warte, bis das fertig ist.',
  'The guest has not shut down within {} seconds. It may not listen to the power button; power off ends it at once.':
    'Der Gast ist in {} Sekunden nicht heruntergefahren. Vielleicht hört er nicht auf den Einschaltknopf; Ausschalten beendet ihn sofort.',
  'It crashed while shutting down.': 'Sie ist beim Herunterfahren abgestürzt.',
  'It could not be suspended and goes on: {}.':
    'Sie konnte nicht schlafen gelegt werden und läuft weiter: {}.',
  'Its monitor started but did not answer. It was ended again.':
    'Ihr Monitor startete, antwortete aber nicht. Er wurde wieder beendet.',
  'Its monitor does not answer. Power off is still possible.':
    'Ihr Monitor antwortet nicht. Ausschalten geht noch.',
  'Its monitor ended without having saved it.': 'Ihr Monitor endete, ohne sie gesichert zu haben.',
  "The host's agent was interrupted during this. Try it again.":
    'Der Agent des Hosts wurde dabei unterbrochen. Versuche es noch einmal.',
  'The network for VMs could not be set up.': 'Das Netz für VMs konnte nicht eingerichtet werden.',
  'The network {} has no free address left. Delete a VM first.':
    'Im Netz {} ist keine Adresse mehr frei. Lösche zuerst eine VM.',
  "The VM's network (passt) did not start: {}": 'Das Netz der VM (passt) ist nicht gestartet: {}',
  '{} of this host leads to {} already.': '{} dieses Hosts führt schon zu {}.',
  '{} is in use by a program of the host itself. Choose another port.':
    '{} benutzt ein Programm des Hosts selbst. Wähle einen anderen Port.',
  '{} of the host leads to another VM already. Choose another port.':
    '{} des Hosts führt schon zu einer anderen VM. Wähle einen anderen Port.',
  'The user data begins with none of the lines cloud-init knows, such as #cloud-config or #!/bin/sh.':
    'Der cloud-init-Text beginnt mit keiner Zeile, die cloud-init kennt, etwa #cloud-config oder #!/bin/sh.',
  'The user data holds a line that Hearth needs as a separator.':
    'Der cloud-init-Text enthält eine Zeile, die Hearth als Trenner braucht.',
  'The host does not answer. Try again in a moment.':
    'Der Host antwortet nicht. Versuche es gleich noch einmal.',
  'The host does not know this action any more. Look at the VM and try again.':
    'Der Host weiß davon nichts mehr. Sieh dir die VM an und versuche es noch einmal.',

  // Images.
  '{} needs a disk of at least {}; a disk cannot be smaller than its image.':
    '{} braucht eine Platte von mindestens {}; sie kann nicht kleiner sein als ihr Abbild.',
  '{} is being made ({} %). Try again when it is ready.':
    '{} wird gerade gemacht ({} %). Versuche es, wenn es bereit ist.',
  '{} is not on this host yet. Build or download it in the image catalogue first.':
    '{} ist noch nicht auf diesem Host. Baue oder lade es zuerst bei den Abbildern.',
  'Shut the VM down first: an image is made of a disk at rest.':
    'Fahre die VM zuerst herunter: Ein Abbild wird aus einer ruhenden Platte gemacht.',
  'The image was made, but this host cannot see it in the image store.':
    'Das Abbild ist gemacht, aber dieser Host sieht es im Abbildspeicher nicht.',
  'The host does not have this image any more.': 'Der Host hat dieses Abbild nicht mehr.',
  'The image builder cannot be reached. Start Hearth again, then build the image again.':
    'Die Baustelle ist nicht zu erreichen. Starte Hearth neu und baue das Abbild dann noch einmal.',
  'The image builder does not know how to make this image.':
    'Die Baustelle weiß nicht, wie dieses Abbild gemacht wird.',
  '{} is not an address that begins with https:// or http://.':
    '{} ist keine Adresse, die mit https:// oder http:// beginnt.',
  'Leave user name and password out of the address: it is shown in the catalogue.':
    'Lass Benutzername und Passwort aus der Adresse weg: Sie wird bei den Abbildern gezeigt.',
  'The file is not the one that was expected: its {} is {}, expected was {}. Nothing of it is kept. {.}':
    'Die Datei ist nicht die erwartete: Ihre {} ist {}, erwartet war {}. Nichts davon wird behalten. {.}',
  '{} has no checksum of {}. There may be a newer version; update Hearth.':
    '{} enthält keine Prüfsumme von {}. Vielleicht gibt es eine neuere Fassung; aktualisiere Hearth.',
  '{} is not signed by its publisher, so nothing that it says is believed ({}). Try again later; if it stays so, ask the publisher.':
    '{} ist nicht vom Herausgeber unterschrieben, deshalb gilt nichts davon ({}). Versuche es später noch einmal; bleibt es so, frage den Herausgeber.',
  'The kept key for {} is not the one that is meant. Install Hearth again.':
    'Der aufbewahrte Schlüssel für {} ist nicht der gemeinte. Installiere Hearth neu.',
  'The file is packed ({}). Unpack it and give the disk image inside.':
    'Die Datei ist gepackt ({}). Packe sie aus und gib das Plattenabbild darin.',
  'The file is a {} disk. Hearth takes qcow2, raw disks and ISO files: convert it first, for example with "qemu-img convert -O qcow2".':
    'Die Datei ist eine {}-Platte. Hearth nimmt qcow2, rohe Platten und ISO-Dateien: Wandle sie zuerst um, zum Beispiel mit „qemu-img convert -O qcow2“.',
  'This is a web page, not a disk image: the address leads to a page about the file instead of the file.':
    'Das ist eine Webseite, kein Plattenabbild: Die Adresse führt zu einer Seite über die Datei statt zur Datei.',
  'This is no disk image that a VM could start from: it is neither qcow2 nor an ISO, and has no partition table.':
    'Das ist kein Plattenabbild, von dem eine VM starten könnte: Es ist weder qcow2 noch ISO und hat keine Partitionstabelle.',
  'The disk in this image is {}; at most {} are taken.':
    'Die Platte in diesem Abbild ist {} groß; höchstens {} werden genommen.',
  'This qcow2 file is only the difference to another file (it has a backing file). Flatten it first with "qemu-img convert".':
    'Diese qcow2-Datei ist nur der Unterschied zu einer anderen Datei (backing file). Mache sie zuerst mit „qemu-img convert“ vollständig.',
  'This qcow2 file is encrypted. Decrypt it first.':
    'Diese qcow2-Datei ist verschlüsselt. Entschlüssele sie zuerst.',
  'This qcow2 file keeps its data in another file. Give one that holds it itself.':
    'Diese qcow2-Datei hat ihre Daten in einer anderen Datei. Gib eine, die sie selbst enthält.',
  'This qcow2 file says of itself that it is damaged.':
    'Diese qcow2-Datei sagt von sich selbst, dass sie beschädigt ist.',
  'The qcow2 file is cut off in its header.': 'Die qcow2-Datei ist in ihrem Kopf abgeschnitten.',
  'The image is damaged or holds what Hearth does not take: {}':
    'Das Abbild ist beschädigt oder enthält, was Hearth nicht nimmt: {}',
  'The disk filled up while the image was unpacked ({} free). Free some space and try again.':
    'Die Platte wurde beim Auspacken des Abbilds voll ({} frei). Schaffe Platz und versuche es noch einmal.',
  'The disk with {} is full. Free some space and try again.':
    'Die Platte mit {} ist voll. Schaffe Platz und versuche es noch einmal.',
  'This needs {} of disk and {} are free. Delete images or VMs you no longer need.':
    'Das braucht {} Plattenplatz, und {} sind frei. Lösche Abbilder oder VMs, die du nicht mehr brauchst.',
  '{} cannot be reached ({}). What is here already is kept: try again and it goes on from there.':
    '{} ist nicht zu erreichen ({}). Was schon da ist, bleibt: Versuche es noch einmal, dann geht es von dort weiter.',
  'The file is {}; at most {} are taken.': 'Die Datei ist {} groß; höchstens {} werden genommen.',
  'The file is larger than {}, the most that is taken.':
    'Die Datei ist größer als {}, und mehr wird nicht genommen.',
  'There is nothing at {} ({}). Look at the address.': 'Unter {} ist nichts ({}). Prüfe die Adresse.',
  '{} does not give the file to everybody ({}).': '{} gibt die Datei nicht jedem ({}).',
  '{} answered {} instead of the file.': '{} antwortete {} statt mit der Datei.',
  '{} cannot be read: the server answered {}.': '{} ist nicht zu lesen: Der Server antwortete {}.',
  '{} redirects in circles. Look at the address.': '{} leitet im Kreis um. Prüfe die Adresse.',
  '{} redirects to an address without encryption. Give the checksum of the file too, or another address.':
    '{} leitet zu einer Adresse ohne Verschlüsselung um. Gib auch die Prüfsumme der Datei an, oder eine andere Adresse.',
  'The upload is not complete. Go on with it, then take the image in again.':
    'Der Upload ist nicht vollständig. Setze ihn fort und nimm das Abbild dann noch einmal auf.',
  'The build was stopped.': 'Der Bau wurde angehalten.',
  '{} needs {} of free disk space in {}; {} are free. Free some space and try again.':
    '{} braucht {} freien Platz in {}; {} sind frei. Schaffe Platz und versuche es noch einmal.',
}

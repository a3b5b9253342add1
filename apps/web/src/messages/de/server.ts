import { backups } from './server-backups.ts'
import { host } from './server-host.ts'
import { images } from './server-images.ts'
import { forEach, resources } from './server-parts.ts'
import { rules } from './server-rules.ts'
import { ofStates } from './server-states.ts'

export { parts } from './server-parts.ts'

const roles = { owner: 'Eigentümer', member: 'Mitglied', viewer: 'Zuschauer' }

/**
 * What the portal's server and its hosts say in English, and how it is said in German. `{}` stands for what they put in:
 * a name, an amount; `{,}` and `{;}` for a list of what server-parts.ts knows, `{|}` for names with an "or", `{.}` for a
 * sentence of its own. A sentence that is missing here is shown
 * as it came. See said.ts.
 */
const sentences: Readonly<Record<string, string>> = {
  ...backups,
  ...host,
  ...images,
  ...rules,
  ...ofStates,
  // What an action does now.
  'Asking the host': 'Fragt den Host',
  Building: 'Wird gebaut',
  Done: 'Erledigt',
  'Waiting for the builder': 'Wartet auf die Baustelle',
  'Waiting to begin': 'Wartet auf den Beginn',
  'Looking for the image': 'Sucht das Abbild',
  'Waiting for the image': 'Wartet auf das Abbild',
  'Removing what was made': 'Entfernt, was schon da ist',
  'Copying the disk': 'Kopiert die Platte',
  'Copying the image': 'Kopiert das Abbild',
  Deleting: 'Wird gelöscht',
  'Making the disk': 'Legt die Platte an',
  'Powering off': 'Wird ausgeschaltet',
  'Writing its memory to the disk': 'Schreibt den Arbeitsspeicher auf die Platte',
  'Fetching the image to this host': 'Holt das Abbild auf diesen Host',
  'Waiting for another backup to end': 'Wartet, bis eine andere Sicherung fertig ist',
  'Waiting for another action on the VM to end': 'Wartet, bis die VM frei ist',
  'Writing to the backup disk': 'Schreibt auf die Sicherungsplatte',
  'Reading the backup': 'Liest die Sicherung',
  'Growing the disk': 'Vergrößert die Platte',
  'Deleting its files': 'Löscht die Dateien',
  'Holding the guest still': 'Hält den Gast kurz an',
  Resetting: 'Wird zurückgesetzt',
  Starting: 'Startet',
  'Waiting for the guest to shut down': 'Wartet, bis der Gast heruntergefahren ist',
  'Telling the network': 'Sagt es dem Netz',
  'Putting it in place': 'Bringt es an seinen Platz',
  'Writing the cloud-init disk': 'Schreibt die cloud-init-Platte',
  'Freeing its address': 'Gibt die Adresse frei',
  'Setting up the network': 'Richtet das Netz ein',

  'A shared folder’s name has lower-case letters, digits, dots, hyphens and underscores; at most 36.':
    'Der Name eines geteilten Ordners hat Kleinbuchstaben, Ziffern, Punkte, Bindestriche und Unterstriche; höchstens 36.',
  'A VM has at most {} shared folders.': 'Eine VM hat höchstens {} geteilte Ordner.',
  'A folder is named twice.': 'Ein Ordner ist zweimal genannt.',
  'Its host shares no folder {}.': 'Ihr Host teilt keinen Ordner {}.',
  'Its host shares the folder {} for reading only.': 'Ihr Host teilt den Ordner {} nur zum Lesen.',
  "The list of shared folders of this host cannot be read. Correct {} in the agent's state folder.":
    'Die Liste der geteilten Ordner dieses Hosts ist nicht lesbar. Berichtige {} im Zustandsordner des Agenten.',
  'This host does not share the folder {} any more. Take it away from the VM, or have it shared again.':
    'Dieser Host teilt den Ordner {} nicht mehr. Nimm ihn der VM weg, oder lass ihn wieder teilen.',
  'This host shares the folder {} for reading only. Give it to the VM for reading.':
    'Dieser Host teilt den Ordner {} nur zum Lesen. Gib ihn der VM zum Lesen.',
  '{} hung: its guest did not reload its watchdog': '{} hing: ihr Gast hat den Watchdog nicht mehr bedient',

  // Why something cannot be done now.
  'Its host is away.': 'Ihr Host ist nicht da.',
  'The host is away. Try again when it is back.':
    'Der Host ist nicht da. Versuche es wieder, wenn er zurück ist.',
  'The host was not seen yet.': 'Der Host wurde noch nicht gesehen.',
  'It is not on the backup disk that is there.': 'Sie ist nicht auf der Sicherungsplatte, die da ist.',
  'It is damaged. Use another one.': 'Sie ist beschädigt. Nimm eine andere.',
  'It is in use.': 'Sie wird gerade benutzt.',
  'Its VM is gone. Make a new one from it.': 'Ihre VM gibt es nicht mehr. Mach eine neue daraus.',
  'A backup of it is being made.': 'Sie wird gerade gesichert.',
  'There is no place for backups yet. An administrator chooses one.':
    'Noch gibt es keinen Ort für Sicherungen. Ein Administrator wählt einen.',
  'Its backups are being looked through.': 'Ihre Sicherungen werden durchgesehen.',
  'The backup disk is not there.': 'Die Sicherungsplatte ist nicht da.',
  'The backup disk is not there. Connect it, or mount its share, on the host, then try again.':
    'Die Sicherungsplatte ist nicht da. Schließe sie am Host an oder hänge ihre Freigabe ein und versuche es wieder.',
  'The backup disk is not there: {} is not the folder that was chosen. Connect it, or mount its share, on the host.':
    'Die Sicherungsplatte ist nicht da: {} ist nicht der Ordner, der gewählt wurde. Schließe sie am Host an oder hänge ihre Freigabe ein.',
  'The backup disk ({}) is full; this backup was not made. Delete old backups or keep fewer.':
    'Die Sicherungsplatte ({}) ist voll; diese Sicherung wurde nicht gemacht. Lösche alte oder behalte weniger.',
  'This backup is damaged: not all of it can be read. Use another one, and look at the backup disk. The next backup writes what is missing again, if the VM still has it.':
    'Diese Sicherung ist beschädigt: Nicht alles davon lässt sich lesen. Nimm eine andere und sieh nach der Sicherungsplatte. Die nächste Sicherung schreibt wieder, was fehlt, wenn die VM es noch hat.',
  'There is no folder {} on the host. Mount the disk and make the folder, then try again. (Folders in /home, /root and /tmp are not seen by a host that runs as a service.)':
    'Auf dem Host gibt es keinen Ordner {}. Hänge die Platte ein, lege den Ordner an und versuche es wieder. (Ordner in /home, /root und /tmp sieht ein Host nicht, der als Dienst läuft.)',
  'This folder belongs to Hearth itself. Choose one on another disk.':
    'Dieser Ordner gehört Hearth selbst. Wähle einen auf einer anderen Platte.',
  'The backups in {} are encrypted. Give their recovery key.':
    'Die Sicherungen in {} sind verschlüsselt. Gib ihren Wiederherstellungsschlüssel an.',
  'This is not the recovery key of the backups in {}.':
    'Das ist nicht der Wiederherstellungsschlüssel der Sicherungen in {}.',
  'The backups in {} are not encrypted, and stay so. Choose an empty folder for encrypted ones.':
    'Die Sicherungen in {} sind nicht verschlüsselt und bleiben es. Wähle für verschlüsselte einen leeren Ordner.',
  'A recovery key has 64 digits, 0 to 9 and a to f. Look whether one is missing.':
    'Ein Wiederherstellungsschlüssel hat 64 Stellen, 0 bis 9 und a bis f. Sieh nach, ob eine fehlt.',
  'Backups of {} go to {}, encrypted': 'Sicherungen von {} gehen verschlüsselt nach {}',
  'Backed up {}': 'Hat {} gesichert',
  'Took {} back to its backup from {}': 'Hat in {} die Sicherung vom {} zurückgespielt',
  'Verified the backup of {} from {}': 'Hat die Sicherung von {} vom {} geprüft',
  'Deleted the backup of {} from {}': 'Hat die Sicherung von {} vom {} gelöscht',
  'It is deleted.': 'Sie ist gelöscht.',
  'It is deleted when its host is back.': 'Sie wird gelöscht, sobald ihr Host zurück ist.',
  'It has no console yet.': 'Sie hat noch keine Konsole.',
  'It has no screen.': 'Sie hat keinen Bildschirm.',
  'It is protected from deletion. Switch that off in its settings first.':
    'Sie ist vor dem Löschen geschützt. Schalte das zuerst in ihren Einstellungen aus.',
  'It is being rebuilt.': 'Sie wird neu aufgesetzt.',
  "Type the VM's name, {}, to rebuild it.": 'Tippe den Namen der VM, {}, um sie neu aufzusetzen.',
  '{} runs from memory and has no disk for {}. Make a new VM from it.':
    '{} läuft aus dem Speicher und hat keine Platte für {}. Mach daraus eine neue VM.',
  'This VM had no login, and {} wants one. Give a password or an SSH key.':
    'Diese VM hatte keine Anmeldung, und {} braucht eine. Gib ein Passwort oder einen SSH-Schlüssel an.',
  'Rebuilt {} from {}': 'Hat {} aus {} neu aufgesetzt',
  'It is getting a disk.': 'Sie bekommt eine Platte.',
  'It is losing a disk.': 'Eine Platte von ihr wird gelöst.',
  'It is having a disk grow.': 'Eine Platte von ihr wächst.',
  'It is being copied to an image.': 'Aus ihr wird ein Abbild gemacht.',
  'It is being made.': 'Wird gerade gemacht.',
  '{}: It is being made.': '{}: Wird gerade gemacht.',
  '{}: Its host does not have it any more.': '{}: Der Host hat es nicht mehr.',
  'It is being taken.': 'Wird gerade gemacht.',
  'Its host does not have it any more.': 'Der Host hat es nicht mehr.',
  'The host is away.': 'Der Host ist nicht da.',
  'The host is away. The VM may go on without it.': 'Der Host ist nicht da. Die VM läuft vielleicht weiter.',
  '{} ({}) is on the host, but not in the portal. It is left alone.':
    '{} ({}) ist auf dem Host, aber nicht im Portal. Sie bleibt, wie sie ist.',
  'It is protected from deletion.': 'Es ist vor dem Löschen geschützt.',
  'Its host does not have it.': 'Ihr Host hat sie nicht.',
  'It has no disk: it runs from memory, so there is nothing to keep.':
    'Sie hat keine Platte: Sie läuft aus dem Speicher, es gibt also nichts aufzuheben.',
  'It is being deleted.': 'Sie wird gelöscht.',
  'It is being powered off.': 'Sie wird ausgeschaltet.',
  'It is restarting.': 'Sie startet neu.',
  'It is being reset.': 'Sie wird zurückgesetzt.',
  'It is being suspended.': 'Sie wird schlafen gelegt.',
  'It is being changed.': 'Sie wird geändert.',
  'It is having its snapshot taken.': 'Von ihr wird ein Snapshot gemacht.',
  'It is going back to a snapshot.': 'Sie geht auf einen Snapshot zurück.',
  'It is losing a snapshot.': 'Ein Snapshot von ihr wird gelöscht.',
  'It is busy.': 'Sie ist beschäftigt.',
  'It should run, but it crashed.': 'Sie sollte laufen, ist aber abgestürzt.',
  'It should run, but it is stopped.': 'Sie sollte laufen, ist aber aus.',
  'It should be stopped, but it runs.': 'Sie sollte aus sein, läuft aber.',
  'The host has one CPU.': 'Der Host hat eine CPU.',
  'The host has {} CPUs.': 'Der Host hat {} CPUs.',
  'The host has {} of memory.': 'Der Host hat {} Speicher.',
  'The host has {} of storage.': 'Der Host hat {} Plattenplatz.',
  'It is made already.': 'Es ist schon gemacht.',
  'It is being made already.': 'Es wird schon gemacht.',
  'It is being made. Cancel that first.': 'Es wird gerade gemacht. Brich das zuerst ab.',
  'It is here already.': 'Es ist schon da.',
  'It is not ready yet.': 'Es ist noch nicht bereit.',
  'It is not on this host.': 'Es ist nicht auf diesem Host.',
  'It could not be made.': 'Es konnte nicht gemacht werden.',
  'Nothing is under way.': 'Gerade ist nichts im Gange.',
  'Only an administrator can do that.': 'Das kann nur ein Administrator.',
  'That belongs to the whole home: only an administrator can do that.':
    'Das gehört dem ganzen Zuhause: Nur ein Administrator kann das.',
  'Only an administrator of the home can do that.': 'Das kann nur ein Administrator des Zuhauses.',
  'Only an administrator of the home can raise a quota.':
    'Nur ein Administrator des Zuhauses kann ein Kontingent erhöhen.',
  'Only an owner of the project can do that.': 'Das kann nur, wem das Projekt gehört.',
  'Only an owner of the project can answer.': 'Antworten kann nur, wem das Projekt gehört.',
  'You are not a member of any project yet. Ask an administrator to invite you to one.':
    'Du bist noch in keinem Projekt. Bitte einen Administrator um eine Einladung.',
  'You may look at this project, but not change it. Ask one of its owners to make you a member.':
    'Du darfst dieses Projekt ansehen, aber nicht ändern. Bitte einen seiner Eigentümer, dich zum Mitglied zu machen.',
  'You are here as an administrator, not as a member.': 'Du bist hier als Administrator, nicht als Mitglied.',
  'You are its only owner. Make somebody else an owner first.':
    'Es gehört nur dir. Mache zuerst jemand anderen zum Eigentümer.',
  'A project needs an owner. Make somebody else an owner first.':
    'Ein Projekt braucht einen Eigentümer. Mache zuerst jemand anderen dazu.',
  'A home needs an administrator. Make somebody else one first.':
    'Ein Zuhause braucht einen Administrator. Mache zuerst jemand anderen dazu.',
  'You cannot remove yourself; another administrator can.':
    'Dich selbst kannst du nicht entfernen; ein anderer Administrator kann es.',
  'This is the only project; a home needs one.': 'Das ist das einzige Projekt; ein Zuhause braucht eines.',
  'Delete its VMs first.': 'Lösche zuerst seine VMs.',

  'It is created already.': 'Sie ist schon erstellt.',
  'It is being cancelled.': 'Es wird schon abgebrochen.',
  'This was cancelled.': 'Das wurde abgebrochen.',

  // Refusals.
  '{} is created already.': '{} ist schon erstellt.',
  '{} is being cancelled.': '{} wird schon abgebrochen.',
  '{} is not on the host yet. Ask an administrator to build or download it.':
    '{} ist noch nicht auf dem Host. Bitte einen Administrator, es zu bauen oder zu laden.',
  '{} is not ready. Look at it among the images.': '{} ist nicht bereit. Sieh es dir bei den Abbildern an.',
  'Sign in first.': 'Melde dich zuerst an.',
  'Give your password again to do that.': 'Gib dafür dein Passwort noch einmal ein.',
  'That is not your password.': 'Das ist nicht dein Passwort.',
  'Too many wrong passwords. Wait a few minutes, then try again.':
    'Zu viele falsche Passwörter. Warte ein paar Minuten und versuche es dann noch einmal.',
  'There is no such {}.': 'Das gibt es nicht ({}).',
  'There is a VM named {} already. Choose another name.':
    'Eine VM namens {} gibt es schon. Wähle einen anderen Namen.',
  'There is a project named {} already. Choose another name.':
    'Ein Projekt namens {} gibt es schon. Wähle einen anderen Namen.',
  'There is a volume named {} already. Choose another name.':
    'Eine Platte namens {} gibt es schon. Wähle einen anderen Namen.',
  'There is an SSH key named {} already. Choose another name.':
    'Einen SSH-Schlüssel namens {} gibt es schon. Wähle einen anderen Namen.',
  'That SSH key is saved already.': 'Dieser SSH-Schlüssel ist schon gespeichert.',
  'There is no image {}.': 'Ein Abbild {} gibt es nicht.',
  '{} needs at least {} of memory.': '{} braucht mindestens {} Speicher.',
  '{} needs a disk of at least {}.': '{} braucht eine Platte von mindestens {}.',
  '{} is busy. Wait until that is done.': '{} ist beschäftigt. Warte, bis das erledigt ist.',
  "Type the VM's name, {}, to delete it.": 'Tippe den Namen der VM, {}, um sie zu löschen.',
  "Type the project's name, {}, to delete it.": 'Tippe den Namen des Projekts, {}, um es zu löschen.',
  'A disk can grow, but not shrink: it has {} already.':
    'Eine Platte kann wachsen, aber nicht schrumpfen: Sie hat schon {}.',
  'Hearth is set up already. Sign in instead.': 'Hearth ist schon eingerichtet. Melde dich an.',
  "The network {} is not open to VMs. An administrator can open it in the home's settings.":
    'Das Netz {} ist nicht für VMs freigegeben. Ein Administrator kann es in den Einstellungen des Zuhauses freigeben.',
  'Port {} ({}) of the host leads to another VM already. Choose another port.':
    'Port {} ({}) des Hosts führt schon zu einer anderen VM. Wähle einen anderen Port.',
  'Port {} ({}) of this host leads to {} already.': 'Port {} ({}) dieses Hosts führt schon zu {}.',
  'Port {} ({}) is in use by a program of the host itself. Choose another port.':
    'Port {} ({}) benutzt ein Programm des Hosts selbst. Wähle einen anderen Port.',
  'Something went wrong inside Hearth.': 'In Hearth ist etwas schiefgegangen.',

  // What happened.
  'Signed in': 'Hat sich angemeldet',
  'Signed out': 'Hat sich abgemeldet',
  'Could not sign in': 'Konnte sich nicht anmelden',
  'Could not sign in: no such account': 'Konnte sich nicht anmelden: kein solches Konto',
  'Set up {}': 'Hat {} eingerichtet',
  'Created the VM {} from {}': 'Hat die VM {} aus {} erstellt',
  'Cancelled the creation of {}': 'Hat das Erstellen von {} abgebrochen',
  'Deleted {} and its disk': 'Hat {} und ihre Platte gelöscht',
  'Started {}': 'Hat {} gestartet',
  'Shut down {}': 'Hat {} heruntergefahren',
  'Powered off {}': 'Hat {} ausgeschaltet',
  'Restarted {}': 'Hat {} neu gestartet',
  'Reset {}': 'Hat {} zurückgesetzt',
  'Suspended {}': 'Hat {} schlafen gelegt',
  'Changed the labels of {}': 'Hat die Labels von {} geändert',
  'Opened the console of {}': 'Hat die Konsole von {} geöffnet',
  'Opened the screen of {}': 'Hat den Bildschirm von {} geöffnet',
  'Built the image {}': 'Hat das Abbild {} gebaut',
  'Deleted the image {}': 'Hat das Abbild {} gelöscht',
  'Made the image {} from {}': 'Hat das Abbild {} aus {} gemacht',
  'Made the project {}': 'Hat das Projekt {} angelegt',
  'Deleted the project {}': 'Hat das Projekt {} gelöscht',
  'Renamed the project {} to {}': 'Hat das Projekt {} in {} umbenannt',
  'Set the quota of {}: {,}': 'Hat das Kontingent von {} gesetzt: {,}',
  'Made the API token {} ({})': 'Hat das API-Token {} ({}) erstellt',
  'Revoked the API token {}': 'Hat das API-Token {} widerrufen',
  'Made {} an owner of {}': 'Hat {} zum Eigentümer von {} gemacht',
  'Made {} a member of {}': 'Hat {} zum Mitglied von {} gemacht',
  'Made {} a viewer of {}': 'Lässt {} bei {} nur zusehen',
  'Made {} an administrator of the home': 'Hat {} zum Administrator des Zuhauses gemacht',
  '{} is no longer an administrator of the home': '{} ist nicht mehr Administrator des Zuhauses',
  'Looked at a recording of the screen of {}': 'Hat eine Aufnahme des Bildschirms von {} angesehen',
  'Looked at a recording of the serial console of {}':
    'Hat eine Aufnahme der seriellen Konsole von {} angesehen',
  'Downloaded a recording of the screen of {}': 'Hat eine Aufnahme des Bildschirms von {} heruntergeladen',
  'Downloaded a recording of the serial console of {}':
    'Hat eine Aufnahme der seriellen Konsole von {} heruntergeladen',
  'Made new recovery codes': 'Hat neue Wiederherstellungscodes gemacht',
  'Added a passkey': 'Hat einen Passkey hinzugefügt',
  'Removed a passkey': 'Hat einen Passkey entfernt',
  'Changed the password': 'Hat das Passwort geändert',
  'Powered off.': 'Ausgeschaltet.',
  'Saved the SSH key {}': 'Hat den SSH-Schlüssel {} gespeichert',
  'Renamed the SSH key {} to {}': 'Hat den SSH-Schlüssel {} in {} umbenannt',
  'Deleted the SSH key {}': 'Hat den SSH-Schlüssel {} gelöscht',
  'Changed the home: {,}': 'Hat das Zuhause geändert: {,}',
  'Began to record the screen of {}': 'Hat begonnen, den Bildschirm von {} aufzunehmen',
  'Began to record the serial console of {}': 'Hat begonnen, die serielle Konsole von {} aufzunehmen',
  'Stopped recording the screen of {}': 'Hat die Aufnahme des Bildschirms von {} beendet',
  'Stopped recording the serial console of {}': 'Hat die Aufnahme der seriellen Konsole von {} beendet',
  'Deleted a recording of the screen of {}': 'Hat eine Aufnahme des Bildschirms von {} gelöscht',
  'Deleted a recording of the serial console of {}':
    'Hat eine Aufnahme der seriellen Konsole von {} gelöscht',
  'Took the snapshot {} of {}': 'Hat den Snapshot {} von {} gemacht',
  'Took {} back to the snapshot {}': 'Hat {} auf den Snapshot {} zurückgesetzt',
  'Deleted the snapshot {} of {}': 'Hat den Snapshot {} von {} gelöscht',
  'Made the volume {} of {}': 'Hat die Platte {} mit {} angelegt',
  'Attached the volume {} to {}': 'Hat die Platte {} an {} angeschlossen',
  'Detached the volume {} from {}': 'Hat die Platte {} von {} gelöst',
  'Deleted the volume {}': 'Hat die Platte {} gelöscht',

  // People, projects and quota.
  'Only an owner of {} can do that. Ask an administrator.':
    'Das darf nur, wem {} gehört. Frag einen Administrator.',
  'Only a member of {} can do that. Ask an administrator.':
    'Das darf nur ein Mitglied von {}. Frag einen Administrator.',
  'Only an owner of {} can do that. Ask {|}.': 'Das darf nur, wem {} gehört. Frag {|}.',
  'Only a member of {} can do that. Ask {|}.': 'Das darf nur ein Mitglied von {}. Frag {|}.',
  ' or ': ' oder ',
  'This invitation is not valid (any more). Ask whoever sent it for a new one.':
    'Diese Einladung gilt nicht (mehr). Bitte um eine neue.',
  'Somebody has an account with that e-mail address. If it is you, sign in and open the link again.':
    'Ein Konto mit dieser E-Mail-Adresse gibt es schon. Ist es deines, melde dich an und öffne den Link noch einmal.',
  '{}: {;}. An administrator of the home can raise the quota.':
    '{}: {;}. Ein Administrator des Zuhauses kann das Kontingent erhöhen.',
  '{}: {;}. {} can raise the quota.': '{}: {;}. {} kann das Kontingent erhöhen.',
  '{}: {,}': '{}: {,}',
  '{} may have that much already. Try again.': '{} darf schon so viel haben. Versuch es noch einmal.',
  'Somebody has answered that already.': 'Darauf hat schon jemand geantwortet.',
  'It is answered already.': 'Die Antwort ist schon da.',

  // Images and their making.
  'Its file is not all here yet.': 'Seine Datei ist noch nicht ganz da.',
  'Its file is still being uploaded.': 'Seine Datei wird noch hochgeladen.',
  'It is not downloaded yet.': 'Es ist noch nicht geladen.',
  'It is not built yet.': 'Es ist noch nicht gebaut.',
  'Make it from the VM again.': 'Mache es noch einmal aus der VM.',
  'It belongs to the whole home: only an administrator can do that.':
    'Es gehört dem ganzen Zuhause: Nur ein Administrator kann das.',
  'Only an owner of its project can do that.': 'Das kann nur, wem sein Projekt gehört.',
  'What the catalogue brings keeps its name and is for the whole home.':
    'Was der Katalog bringt, behält seinen Namen und ist für das ganze Zuhause.',
  '{} is being made. Cancel that first.': '{} wird gerade gemacht. Brich das zuerst ab.',
  '{} is being deleted. Wait until that is done.': '{} wird gerade gelöscht. Warte, bis das fertig ist.',
  'Nothing is under way that could be cancelled.': 'Es ist nichts im Gange, das man abbrechen könnte.',
  '{} cannot be tried again. Delete it and begin anew.':
    '{} lässt sich nicht noch einmal versuchen. Lösche es und fange neu an.',
  'The uploaded file is gone. Delete this image and upload it again.':
    'Die hochgeladene Datei ist nicht mehr da. Lösche dieses Abbild und lade sie noch einmal hoch.',
  '{} has no disk: there is nothing an image could be made of.':
    '{} hat keine Platte: Es gibt nichts, woraus ein Abbild werden könnte.',
  'Only an administrator can give an image to the whole home. Choose your project.':
    'Nur ein Administrator kann ein Abbild dem ganzen Zuhause geben. Wähle dein Projekt.',
  'Name the user that cloud-init makes in this image, such as "debian".':
    'Nenne den Benutzer, den cloud-init in diesem Abbild anlegt, etwa „debian“.',
  'Not all of the file has arrived yet. Go on with the upload first.':
    'Die Datei ist noch nicht ganz da. Setze zuerst den Upload fort.',
  'The host is away. The upload goes on when it is back.':
    'Der Host ist nicht da. Der Upload geht weiter, wenn er zurück ist.',
  'The host does not answer. The upload goes on in a moment.':
    'Der Host antwortet nicht. Der Upload geht gleich weiter.',
  'Cancelled the making of the image {}': 'Hat das Machen des Abbilds {} abgebrochen',
  'Downloaded the image {}': 'Hat das Abbild {} geladen',
  'Imported the image {} from {}': 'Hat das Abbild {} von {} importiert',
  'Took in the image {} from the upload {}': 'Hat das Abbild {} aus dem Upload {} aufgenommen',
  'Began to upload {} as the image {}': 'Hat begonnen, {} als Abbild {} hochzuladen',
  'Gave up the upload of the image {}': 'Hat den Upload des Abbilds {} aufgegeben',
  'Protected the image {} from deletion': 'Hat das Abbild {} vor dem Löschen geschützt',
  'Let the image {} be deleted': 'Hat das Löschen des Abbilds {} wieder erlaubt',
  'Gave the image {} to the whole home': 'Hat das Abbild {} dem ganzen Zuhause gegeben',
  'Kept the image {} to its project': 'Hat das Abbild {} seinem Projekt vorbehalten',
  'Renamed the image {} to {}': 'Hat das Abbild {} in {} umbenannt',
  'Changed the image {}': 'Hat das Abbild {} geändert',
  'Allowed images to be fetched from the own network': 'Hat Abbilder aus dem eigenen Netz erlaubt',
  'Forbade images to be fetched from the own network': 'Hat Abbilder aus dem eigenen Netz verboten',

  // VMs, disks and snapshots.
  '{} takes no user, password or SSH key: it has no cloud-init.':
    '{} nimmt keinen Benutzer, kein Passwort und keinen SSH-Schlüssel: Es hat kein cloud-init.',
  'Name the user to log in as.': 'Nenne den Benutzer, als der man sich anmeldet.',
  '{} has no disk, so there is nothing to keep.': '{} hat keine Platte, es gibt also nichts aufzuheben.',
  '{} has no disk of its own that could grow.': '{} hat keine eigene Platte, die wachsen könnte.',
  '{} has no disk that firmware could start.': '{} hat keine Platte, von der eine Firmware starten könnte.',
  'Protected {} from deletion': 'Hat {} vor dem Löschen geschützt',
  '{} is no longer protected from deletion': '{} ist nicht mehr vor dem Löschen geschützt',
  'Snapshots of {} are taken every {}; {} are kept':
    'Von {} wird regelmäßig ein Snapshot gemacht ({}); {} werden behalten',
  'Snapshots of {} are no longer taken by themselves':
    'Von {} werden keine Snapshots mehr von selbst gemacht',
  'Renamed the snapshot {} of {} to {}': 'Hat den Snapshot {} von {} in {} umbenannt',
  '{} has it.': '{} hat sie.',
  'No VM has it.': 'Keine VM hat sie.',
  '{} has it. Detach it first.': '{} hat sie. Löse sie zuerst.',
  '{} has this disk. Detach it there first.': '{} hat diese Platte. Löse sie dort zuerst.',
  '{} has {}. Detach it first.': '{} hat {}. Löse sie zuerst.',
  'No VM has {}.': 'Keine VM hat {}.',
  '{} is growing already.': '{} wächst schon.',
  'A VM has at most {} disks beside its own.': 'Eine VM hat höchstens {} Platten neben ihrer eigenen.',
  'Gave {} the new disk {} of {}': 'Hat {} die neue Platte {} mit {} gegeben',
  'The volume {} grew to {}': 'Die Platte {} ist auf {} gewachsen',
  'Renamed the volume {} to {}': 'Hat die Platte {} in {} umbenannt',
  'A console is opened in the portal, not with a token.':
    'Eine Konsole wird im Portal geöffnet, nicht mit einem Token.',
  'This console link was used already or is too old.':
    'Dieser Konsolen-Link wurde schon benutzt oder ist zu alt.',

  // People and what goes wrong with a request.
  'There is no such project.': 'Dieses Projekt gibt es nicht.',
  'Delete the VMs of {} first.': 'Lösche zuerst die VMs von {}.',
  'Delete the images of {} first.': 'Lösche zuerst die Abbilder von {}.',
  ...forEach(roles, (role, word) => ({ [`Joined {} as ${role}`]: `Ist {} beigetreten, als ${word}` })),
  ...forEach(roles, (role, word) => ({
    [`Invited somebody to {} as ${role}`]: `Hat jemanden zu {} eingeladen, als ${word}`,
  })),
  ...forEach(roles, (role, word) => ({
    [`Invited {} to {} as ${role}`]: `Hat {} zu {} eingeladen, als ${word}`,
  })),
  'Took back the invitation of {} to {}': 'Hat die Einladung von {} zu {} zurückgenommen',
  'Left {}': 'Hat {} verlassen',
  'Removed {} from {}': 'Hat {} aus {} entfernt',
  'Changed the labels of an SSH key': 'Hat die Labels eines SSH-Schlüssels geändert',
  'Asked for {} ({,})': 'Hat um {} gebeten ({,})',
  ...forEach(resources, (english, german) => ({
    [`Raised ${english} of {} to {}`]: `Hat ${german} von {} auf {} erhöht`,
    [`Declined {} of ${english} for {}`]: `Hat {} ${german} für {} abgelehnt`,
  })),
  'This set-up link is not valid (any more). {.}': 'Dieser Einrichtungslink gilt nicht (mehr). {.}',
  'Tokens are made and revoked in the portal only.': 'Tokens werden nur im Portal erstellt und widerrufen.',
  'That is done in the portal only.': 'Das geht nur im Portal.',
  'The passkey did not check who you are.': 'Der Passkey hat nicht geprüft, wer du bist.',
  'Show that it is you first.': 'Zeige zuerst, dass du es bist.',
  'That idempotency key was used for another request. Use a new one.':
    'Dieser Idempotenzschlüssel wurde für eine andere Anfrage benutzt. Nimm einen neuen.',
  'The VM was not created.': 'Die VM wurde nicht erstellt.',
  'That is not valid.': 'Das ist nicht gültig.',
  'It failed.': 'Es ist fehlgeschlagen.',
  'Hearth could not read the request.': 'Hearth konnte die Anfrage nicht lesen.',
  'Hearth does not know that request.': 'Diese Anfrage kennt Hearth nicht.',
  'This page is not one of Hearth’s.': 'Diese Seite gehört nicht zu Hearth.',
  'The request is too large: at most {} bytes.': 'Die Anfrage ist zu groß: höchstens {} Bytes.',
  'Something went wrong inside Hearth. The log has the details.':
    'In Hearth ist etwas schiefgegangen. Näheres steht im Protokoll.',
}

/** What is said of a VM where it is not in sight: with its name. */
const named = Object.entries(sentences).flatMap(([text, german]) =>
  text.startsWith('It is ') && german.startsWith('Sie ')
    ? [[text.replace('It', '{}'), german.replace('Sie', '{}')] as const]
    : text.startsWith('Its host ') && german.startsWith('Ihr Host ')
      ? [[text.replace('Its host', 'The host of {}'), german.replace('Ihr Host', 'Der Host von {}')] as const]
      : [],
)

export const server: Readonly<Record<string, string>> = { ...Object.fromEntries(named), ...sentences }

/** What the portal and its hosts say of backups, see server.ts. */
export const backups: Readonly<Record<string, string>> = {
  'Say which backup: its id is missing.': 'Sag, welche Sicherung: Ihre Nummer fehlt.',
  'Of another home; known from a backup.': 'Aus einem anderen Zuhause; bekannt aus einer Sicherung.',
  'Choose where backups go first.': 'Wähle zuerst, wohin Sicherungen gehen.',
  'VMs of {} are backed up every hour; {} backups of each are kept':
    'VMs von {} werden jede Stunde gesichert; von jeder werden {} Sicherungen behalten',
  'VMs of {} are backed up every day; {} backups of each are kept':
    'VMs von {} werden jeden Tag gesichert; von jeder werden {} Sicherungen behalten',
  'VMs of {} are backed up every week; {} backups of each are kept':
    'VMs von {} werden jede Woche gesichert; von jeder werden {} Sicherungen behalten',
  'VMs of {} are backed up every {}; {} backups of each are kept':
    'VMs von {} werden gesichert ({}); von jeder werden {} Sicherungen behalten',
  'VMs of {} are no longer backed up by themselves': 'VMs von {} werden nicht mehr von selbst gesichert',
  '{} is backed up by itself': '{} wird von selbst gesichert',
  '{} is not backed up by itself': '{} wird nicht von selbst gesichert',
  'It is not there yet.': 'Sie ist noch nicht da.',
  'There is nothing to cancel.': 'Es gibt nichts abzubrechen.',
  'There is nothing to cancel any more.': 'Es gibt nichts mehr abzubrechen.',
  'It cannot be backed up now.': 'Sie kann jetzt nicht gesichert werden.',
  'A backup of {} is being made already.': '{} wird schon gesichert.',
  '{} has {} backups that were made by hand. Delete one of them first.':
    '{} hat {} Sicherungen, die von Hand gemacht wurden. Lösche zuerst eine davon.',
  'This backup is in use. Wait until that is done.':
    'Diese Sicherung wird gerade benutzt. Warte, bis das fertig ist.',
  'Forgot the backup of {} from {}, which is not on the backup disk':
    'Hat die Sicherung von {} vom {} vergessen, die nicht auf der Sicherungsplatte ist',
  'Its VM is not here. Make a new one from the backup.':
    'Ihre VM ist nicht hier. Mach eine neue aus der Sicherung.',
  'Cancelled what was done with the backup of {} from {}':
    'Hat abgebrochen, was mit der Sicherung von {} vom {} geschah',
  'Backups of {} go nowhere any more': 'Sicherungen von {} gehen nirgendwo mehr hin',
  'Backups of {} go to {}': 'Sicherungen von {} gehen nach {}',
  'It is being backed up.': 'Sie wird gerade gesichert.',
  'It is going back to a backup.': 'Sie geht gerade zu einer Sicherung zurück.',
  'The VM and its volumes do not belong together.': 'Die VM und ihre Platten gehören nicht zusammen.',
  'A backup with this identity is already on the backup disk.':
    'Eine Sicherung mit dieser Kennung ist schon auf der Sicherungsplatte.',
  'This backup is not on the backup disk.': 'Diese Sicherung ist nicht auf der Sicherungsplatte.',
  'There is no place for backups yet. An administrator chooses a folder of the host for them first.':
    'Noch gibt es keinen Ort für Sicherungen. Ein Administrator wählt zuerst einen Ordner des Hosts dafür.',
  "The host cannot use {} (its {} is none of Hearth's). Choose a folder that it can write to.":
    'Der Host kann {} nicht nutzen (das {} darin ist nicht von Hearth). Wähle einen Ordner, in den er schreiben kann.',
  'The host cannot use {} ({}). Choose a folder that it can write to.':
    'Der Host kann {} nicht nutzen ({}). Wähle einen Ordner, in den er schreiben kann.',
  'The backup disk ({}) cannot be used: {}. Look at the disk and its cable, and at its rights, on the host.':
    'Die Sicherungsplatte ({}) ist nicht zu gebrauchen: {}. Sieh am Host nach der Platte, ihrem Kabel und den Rechten.',
  'The backup failed inside Hearth. The log of the host has the details.':
    'Die Sicherung schlug in Hearth fehl. Näheres steht im Protokoll des Hosts.',
  'This backup is of another VM. Make a new VM from it instead.':
    'Diese Sicherung ist von einer anderen VM. Mach stattdessen eine neue VM daraus.',
  'A backup is put back while the VM is stopped. Shut it down first.':
    'Eine Sicherung wird zurückgespielt, während die VM aus ist. Fahre sie zuerst herunter.',
  'This backup does not have that volume.': 'Diese Sicherung enthält diese Platte nicht.',
  'Give the whole path of a folder on the host, such as /mnt/backup.':
    'Gib den ganzen Pfad eines Ordners auf dem Host an, etwa /mnt/backup.',
}

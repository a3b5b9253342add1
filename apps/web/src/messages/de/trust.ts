import type { Messages } from '../index.ts'

export const trust: Messages['trust'] = {
  pageTitle: 'Diesem Hearth vertrauen',
  title: 'Auf deinen Geräten diesem Hearth vertrauen',
  intro:
    'Hearth hat auf deiner Box eine eigene Zertifizierungsstelle, weil keine öffentliche für einen Namen in deinem Zuhause bürgen kann. Installiere ihr Zertifikat einmal auf jedem Gerät, und die Warnungen hören auf; der private Schlüssel verlässt die Box nie.',
  notNeeded:
    'Dieses Hearth wird ohne HTTPS erreicht, es gibt also nichts zu installieren. Mit --listen und einem Rechnernamen gestartet, macht es ein Zertifikat, und diese Seite hilft, ihm zu vertrauen.',
  download: 'Zertifikat herunterladen',
  device: 'Dein Gerät',
  afterwards:
    'Schließe danach den Browser ganz, öffne ihn wieder und komm auf diese Seite zurück. Die Warnung ist weg.',
  check: 'Zertifikat installiert? Zur Anmeldung',
  devices: [
    {
      id: 'windows',
      name: 'Windows',
      steps: [
        'Lade das Zertifikat herunter und öffne die Datei.',
        'Wähle „Zertifikat installieren…“, dann „Aktueller Benutzer“, dann „Weiter“.',
        'Wähle „Alle Zertifikate in folgendem Speicher speichern“, „Durchsuchen…“, „Vertrauenswürdige Stammzertifizierungsstellen“.',
        'Schließe ab und beantworte die Sicherheitsfrage mit „Ja“.',
      ],
    },
    {
      id: 'macos',
      name: 'macOS',
      steps: [
        'Lade das Zertifikat herunter und öffne die Datei; die Schlüsselbundverwaltung fügt es deinem Anmeldeschlüsselbund hinzu.',
        'Suche dort „Hearth“ und öffne es mit einem Doppelklick.',
        'Öffne „Vertrauen“ und stelle „Bei Verwendung dieses Zertifikats“ auf „Immer vertrauen“.',
        'Schließe das Fenster und bestätige mit deinem Passwort.',
      ],
    },
    {
      id: 'ios',
      name: 'iPhone und iPad',
      steps: [
        'Öffne diese Seite in Safari und lade das Zertifikat herunter; erlaube, dass das Profil geladen wird.',
        'Einstellungen → Allgemein → VPN und Geräteverwaltung → das Hearth-Profil → Installieren.',
        'Einstellungen → Allgemein → Info → Zertifikatsvertrauenseinstellungen: schalte das Hearth-Zertifikat ein.',
      ],
    },
    {
      id: 'android',
      name: 'Android',
      steps: [
        'Lade das Zertifikat herunter.',
        'Einstellungen → Sicherheit → Verschlüsselung und Anmeldedaten → Zertifikat installieren → CA-Zertifikat. (Hersteller nennen das verschieden; suche in den Einstellungen nach „CA-Zertifikat“.)',
        'Bestätige mit „Trotzdem installieren“ und wähle die heruntergeladene Datei.',
      ],
    },
    {
      id: 'linux',
      name: 'Linux',
      steps: [
        'Lade das Zertifikat herunter.',
        'Debian und Ubuntu: sudo cp ca.crt /usr/local/share/ca-certificates/hearth.crt && sudo update-ca-certificates',
        'Fedora: sudo cp ca.crt /etc/pki/ca-trust/source/anchors/hearth.crt && sudo update-ca-trust',
        'Chromium führt eine eigene Liste: Einstellungen → Datenschutz und Sicherheit → Sicherheit → Zertifikate verwalten → Zertifizierungsstellen → Importieren.',
      ],
    },
    {
      id: 'firefox',
      name: 'Firefox',
      steps: [
        'Lade das Zertifikat herunter.',
        'Einstellungen → Datenschutz & Sicherheit → Zertifikate → Zertifikate anzeigen… → Zertifizierungsstellen → Importieren….',
        'Wähle die Datei und setze den Haken bei „Dieser CA vertrauen, um Websites zu identifizieren“.',
      ],
    },
  ],
}

export const trust = {
  pageTitle: 'Trust this Hearth',
  title: 'Trust this Hearth on your devices',
  intro:
    'Hearth made its own certificate authority on your box, because no public one can vouch for a name inside your home. Install its certificate once on each device and the warnings end; the private key never leaves the box.',
  notNeeded:
    'This Hearth is reached without HTTPS, so there is nothing to install. Started with --listen and a host name it makes a certificate, and this page helps to trust it.',
  download: 'Download the certificate',
  device: 'Your device',
  afterwards:
    'Then close the browser completely, open it again and come back to this page. The warning is gone.',
  check: 'Certificate installed? Go to sign-in',
  devices: [
    {
      id: 'windows',
      name: 'Windows',
      steps: [
        'Download the certificate and open the file.',
        'Choose “Install Certificate…”, then “Current User”, then “Next”.',
        'Choose “Place all certificates in the following store”, “Browse…”, “Trusted Root Certification Authorities”.',
        'Finish and answer the security question with “Yes”.',
      ],
    },
    {
      id: 'macos',
      name: 'macOS',
      steps: [
        'Download the certificate and open the file; Keychain Access adds it to your login keychain.',
        'Find “Hearth” there and open it with a double click.',
        'Open “Trust” and set “When using this certificate” to “Always Trust”.',
        'Close the window and confirm with your password.',
      ],
    },
    {
      id: 'ios',
      name: 'iPhone and iPad',
      steps: [
        'Open this page in Safari and download the certificate; allow the profile to be downloaded.',
        'Settings → General → VPN & Device Management → the Hearth profile → Install.',
        'Settings → General → About → Certificate Trust Settings: switch the Hearth certificate on.',
      ],
    },
    {
      id: 'android',
      name: 'Android',
      steps: [
        'Download the certificate.',
        'Settings → Security → Encryption & credentials → Install a certificate → CA certificate. (Makers name these differently; search the settings for “CA certificate”.)',
        'Confirm with “Install anyway” and choose the downloaded file.',
      ],
    },
    {
      id: 'linux',
      name: 'Linux',
      steps: [
        'Download the certificate.',
        'Debian and Ubuntu: sudo cp ca.crt /usr/local/share/ca-certificates/hearth.crt && sudo update-ca-certificates',
        'Fedora: sudo cp ca.crt /etc/pki/ca-trust/source/anchors/hearth.crt && sudo update-ca-trust',
        'Chromium keeps its own list: Settings → Privacy and security → Security → Manage certificates → Authorities → Import.',
      ],
    },
    {
      id: 'firefox',
      name: 'Firefox',
      steps: [
        'Download the certificate.',
        'Settings → Privacy & Security → Certificates → View Certificates… → Authorities → Import….',
        'Choose the file and tick “Trust this CA to identify websites”.',
      ],
    },
  ],
}

; Inno Setup: an installer of the folder that `make package` makes on Windows. NOT TRIED YET: written on Linux, to be run
; and looked at on Windows before anybody gets it.
;
;     iscc /DVersion=0.1.0 packaging\windows\ddmi-studio.iss      ->  dist\ddmi-studio-0.1.0.exe

#ifndef Version
    #error Say which version it is: iscc /DVersion=0.1.0
#endif

[Setup]
AppId=org.ddmi.studio
AppName=DDMI Studio
AppVersion={#Version}
AppPublisher=DDMI Studio contributors
ArchitecturesAllowed=x64compatible
ArchitecturesInstallIn64BitMode=x64compatible
ChangesAssociations=yes
Compression=lzma2
DefaultDirName={autopf}\DDMI Studio
DefaultGroupName=DDMI Studio
LicenseFile=..\..\LICENSE
OutputBaseFilename=ddmi-studio-{#Version}
OutputDir=..\..\dist
PrivilegesRequired=lowest
PrivilegesRequiredOverridesAllowed=dialog
SolidCompression=yes
UninstallDisplayIcon={app}\DDMI Studio.exe
WizardStyle=modern

[Tasks]
Name: desktopicon; Description: "{cm:CreateDesktopIcon}"; Flags: unchecked

[Files]
Source: "..\..\dist\DDMI Studio\*"; DestDir: "{app}"; Flags: ignoreversion recursesubdirs

[Icons]
Name: "{group}\DDMI Studio"; Filename: "{app}\DDMI Studio.exe"
Name: "{autodesktop}\DDMI Studio"; Filename: "{app}\DDMI Studio.exe"; Tasks: desktopicon

[Registry]
Root: HKA; Subkey: "Software\Classes\.ddmi"; ValueType: string; ValueData: "DDMIStudio.Model"; Flags: uninsdeletevalue
Root: HKA; Subkey: "Software\Classes\.ddmi"; ValueType: string; ValueName: "Content Type"; ValueData: "application/x-ddmi-model"
Root: HKA; Subkey: "Software\Classes\DDMIStudio.Model"; ValueType: string; ValueData: "DDMI Studio model"; Flags: uninsdeletekey
Root: HKA; Subkey: "Software\Classes\DDMIStudio.Model\DefaultIcon"; ValueType: string; ValueData: "{app}\DDMI Studio.exe,0"
Root: HKA; Subkey: "Software\Classes\DDMIStudio.Model\shell\open\command"; ValueType: string; ValueData: """{app}\DDMI Studio.exe"" ""%1"""

[Run]
Filename: "{app}\DDMI Studio.exe"; Description: "{cm:LaunchProgram,DDMI Studio}"; Flags: nowait postinstall skipifsilent

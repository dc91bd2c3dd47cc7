package cachepolicy

// InputKind says what kind of thing an input of a step's key is.
type InputKind string

// The kinds of key inputs. Those of a source are the source's kinds.
const (
	InputCommand  InputKind = "command"  // the instruction's text, variables unexpanded
	InputBase     InputKind = "base"     // the base image: reference and manifest digest
	InputArg      InputKind = "arg"      // a declared build argument, by name
	InputEnv      InputKind = "env"      // an environment variable, by name
	InputFiles    InputKind = "files"    // files of a build context, see FileSet
	InputFields   InputKind = "fields"   // the fields that count of a copied file, by its path
	InputField    InputKind = "field"    // one of them: path and field
	InputUser     InputKind = "user"     // USER
	InputWorkdir  InputKind = "workdir"  // WORKDIR
	InputShell    InputKind = "shell"    // SHELL
	InputPlatform InputKind = "platform" // the platform the step runs on
	InputSecret   InputKind = "secret"   // a secret mount: id as name, target and mode as value
	InputSSH      InputKind = "ssh"      // an ssh mount, likewise
	InputMount    InputKind = "mount"    // a cache or tmpfs mount, by target
	InputOption   InputKind = "option"   // any other option, such as the network mode

	InputOff    InputKind = "off"                  // the rule off
	InputTTL    InputKind = "ttl"                  // the window of the rule ttl
	InputKeyArg InputKind = "key-arg"              // key=arg:NAME
	InputText   InputKind = InputKind(SourceText)  // key=text:…
	InputHTTP   InputKind = InputKind(SourceHTTP)  // key=https://…, digest of the content
	InputGit    InputKind = InputKind(SourceGit)   // key=GIT, the commit
	InputImage  InputKind = InputKind(SourceImage) // key=image://…, the manifest digest
	InputFile   InputKind = InputKind(SourceFile)  // key=file:…, see FileSet
)

// inputRow is what is true of all inputs of a kind.
type inputRow struct {
	// reason is the kind of the explain.Reason that a difference in the input is.
	reason string
	// form is how the input is written in a line.
	form InputForm
	// variable: it reaches the command's environment.
	variable bool
	// assigned: it is a value under a name, either of which may look secret.
	assigned bool
	// holdsValue: its value is that of a variable, may have one expanded in it, or is
	// part of a file.
	holdsValue bool
	// quoted: it is text out of a rule, in which a secret may stand.
	quoted bool
	// elsewhere: it is keyed by what the name leads to, whatever the name.
	elsewhere bool
	// once: a step has one at most, whatever its name.
	once bool
	// withheld: a rule may keep such inputs out of the key.
	withheld bool
	// calledByKind: a person names the kind too: user, mount /root/.cache.
	calledByKind bool
}

// inputRows has a row for each kind. A kind of a newer record has none, and is
// what unknownInput says.
var inputRows = map[InputKind]inputRow{
	InputCommand:  {reason: "command-changed", form: FormText, once: true},
	InputBase:     {reason: "base-moved", form: FormDigest, once: true, elsewhere: true},
	InputArg:      {reason: "arg-changed", form: FormAssigned, variable: true, assigned: true, withheld: true, holdsValue: true},
	InputEnv:      {reason: "env-changed", form: FormAssigned, variable: true, assigned: true, holdsValue: true},
	InputFiles:    {reason: "files-changed", form: FormFiles, withheld: true},
	InputFields:   {reason: "field-changed", form: FormNamed},
	InputField:    {reason: "field-changed", form: FormNamed, holdsValue: true},
	InputUser:     {reason: "setting-changed", form: FormValue, calledByKind: true, holdsValue: true},
	InputWorkdir:  {reason: "setting-changed", form: FormValue, calledByKind: true, holdsValue: true},
	InputShell:    {reason: "setting-changed", form: FormValue, calledByKind: true},
	InputPlatform: {reason: "setting-changed", form: FormValue, calledByKind: true},
	InputSecret:   {reason: "secret-changed", form: FormNamed, calledByKind: true, holdsValue: true},
	InputSSH:      {reason: "setting-changed", form: FormNamed, calledByKind: true, holdsValue: true},
	InputMount:    {reason: "setting-changed", form: FormNamed, calledByKind: true, holdsValue: true},
	InputOption:   {reason: "setting-changed", form: FormNamed, holdsValue: true},
	InputOff:      {reason: "setting-changed", form: FormValue, calledByKind: true},
	InputTTL:      {reason: "ttl-rolled", form: FormNamed, once: true},
	InputKeyArg:   {reason: "arg-changed", form: FormAssigned, assigned: true, holdsValue: true},
	InputText:     {reason: "setting-changed", form: FormValue, quoted: true, calledByKind: true, holdsValue: true},
	InputHTTP:     {reason: "source-moved", form: FormDigest, quoted: true, elsewhere: true},
	InputGit:      {reason: "source-moved", form: FormDigest, quoted: true, elsewhere: true},
	InputImage:    {reason: "source-moved", form: FormDigest, elsewhere: true},
	InputFile:     {reason: "files-changed", form: FormFiles},
}

var unknownInput = inputRow{reason: "setting-changed", form: FormPlain, holdsValue: true}

// InputForm says how an input is written in a line.
type InputForm int

// The forms of inputs.
const (
	FormPlain    InputForm = iota // name and value
	FormText                      // the value, and its digest if it is cut
	FormValue                     // the value, or the name if there is none
	FormNamed                     // name: value
	FormAssigned                  // name=value, unless that is withheld
	FormDigest                    // name, and the digest of what it leads to
	FormFiles                     // name, and how many files it selects
)

func (k InputKind) row() inputRow {
	if row, ok := inputRows[k]; ok {
		return row
	}
	return unknownInput
}

// Reason returns the kind of the explain.Reason that a difference in such an input is.
func (k InputKind) Reason() string { return k.row().reason }

// Form returns how inputs of the kind are written in a line.
func (k InputKind) Form() InputForm { return k.row().form }

// IsVariable reports whether inputs of the kind reach the command's environment.
func (k InputKind) IsVariable() bool { return k.row().variable }

// HoldsValue reports whether the value of an input of the kind is that of a variable,
// may have one expanded in it, or is part of a file.
func (k InputKind) HoldsValue() bool { return k.row().holdsValue }

// Group returns one kind for all that reach a command alike: an ARG and an ENV do.
func (k InputKind) Group() InputKind {
	if k.IsVariable() {
		return InputEnv
	}
	return k
}

// IsAssigned reports whether inputs of the kind are values under a name, either of
// which may look secret (IsSecret).
func (k InputKind) IsAssigned() bool { return k.row().assigned }

// IsQuoted reports whether inputs of the kind are text out of a rule, in which a
// secret may stand.
func (k InputKind) IsQuoted() bool { return k.row().quoted }

// NamedElsewhere reports whether inputs of the kind are keyed by what the name leads
// to, whatever the name.
func (k InputKind) NamedElsewhere() bool { return k.row().elsewhere }

// IsOnce reports whether a step has at most one input of the kind, whatever its name.
func (k InputKind) IsOnce() bool { return k.row().once }

// MayBeWithheld reports whether a rule may keep inputs of the kind out of the key.
func (k InputKind) MayBeWithheld() bool { return k.row().withheld }

// CalledByKind reports whether a person names the kind together with the input's
// name: user, mount /root/.cache.
func (k InputKind) CalledByKind() bool { return k.row().calledByKind }

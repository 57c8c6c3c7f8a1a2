"""Ce que l'on dit des champs et des choses, par leurs mots anglais."""

THINGS = {
    "job": "Demande",
    "recording": "Enregistrement",
    "delivery": "Notification",
    "outline": "Tracé du son",
    "database": "base de données",
    "queue": "file d'attente",
    "storage": "stockage",
    "QUEUED": "en attente",
    "PROCESSING": "en cours de traitement",
    "COMPLETED": "terminée",
    "FAILED": "en échec",
    "CANCELLED": "annulée",
}

VALUES = {
    "Missing data for required field.": "Ce champ est obligatoire.",
    "Field may not be null.": "Ce champ ne peut pas être nul.",
    "Unknown field.": "Champ inconnu.",
    "Invalid input type.": "Type de valeur incorrect.",
    "Not a valid string.": "Ce n'est pas un texte.",
    "Not a valid integer.": "Ce n'est pas un nombre entier.",
    "Not a valid number.": "Ce n'est pas un nombre.",
    "Not a valid list.": "Ce n'est pas une liste.",
    "Not a valid boolean.": "Ce n'est pas un booléen (true ou false).",
    "Not a valid mapping type.": "Ce n'est pas un objet.",
    "Must be one of: {choices}.": "Doit être parmi : {choices}.",
    "Length must be between {min} and {max}.": "Doit en compter entre {min} et {max}.",
    "Longer than maximum length {max}.": "Plus long que {max} caractères.",
    "Longer than {max} bytes.": "Plus long que {max} octets.",
    "Must be greater than or equal to {min} and less than or equal to {max}.": "Doit être entre {min} et {max}.",
    "Must be greater than or equal to {min}.": "Doit être au moins {min}.",
    "Must hold either `ids` or `all`.": "Doit contenir soit `ids`, soit `all`.",
    "Filters go with `all`, not with `ids`.": "Les filtres vont avec `all`, pas avec `ids`.",
    "Must not hold control characters.": "Ne doit pas contenir de caractères de contrôle.",
    "Must be a JSON object.": "Doit être un objet JSON.",
    "Must be a list of words.": "Doit être une liste de mots.",
    "More than {max} words.": "Plus de {max} mots.",
    "More than {max} speakers.": "Plus de {max} locuteurs.",
    "A word is longer than {max} characters.": "Un mot dépasse {max} caractères.",
    "Is not valid JSON.": "Ce n'est pas du JSON valide.",
    "Holds a number that is too large.": "Contient un nombre trop grand.",
    "Given more than once.": "Donné plus d'une fois.",
    "Must hold `speakers`, `metadata` or `segments`.": "Doit contenir `speakers`, `metadata` ou `segments`.",
    "More than {max} segments.": "Plus de {max} segments.",
    "Only for {mode}; not for this kind of job.": "Réservé au mode {mode} ; refusé pour ce type de demande.",
    "diarization": "diarisation",
}

UPLOADS = {
    "A file is needed, or `audioUrl`.": "Un fichier est nécessaire, ou bien `audioUrl`.",
    "Either a file or `audioUrl`, not both.": "Un fichier ou bien `audioUrl`, pas les deux.",
    "The file is empty.": "Le fichier est vide.",
    "Must be a file, not text.": "Doit être un fichier et non du texte.",
    "No file is taken here.": "Aucun fichier n'est attendu ici.",
    "the form ends too early or is damaged": "le formulaire est incomplet ou abîmé",
    "a form field is not UTF-8": "un champ du formulaire n'est pas en UTF-8",
    "a part of the form has no name": "une partie du formulaire n'a pas de nom",
    "the form has no boundary": "le formulaire n'a pas de délimiteur",
    "the form has too many parts or too long a header": "le formulaire a trop de parties ou un en-tête trop long",
    "the body must be multipart/form-data": "le corps doit être en multipart/form-data",
    "the body must be JSON": "le corps doit être en JSON",
    "job_uuid is missing": "job_uuid est absent",
}

SERVICES = {
    "is not a cursor that this service gave": "n'est pas un curseur donné par ce service",
    "must be 1 to {max} printable characters": "doit compter de 1 à {max} caractères imprimables",
    "no segment {number} in this transcript": "pas de segment {number} dans cette transcription",
    "no speaker {label} in this transcript": "pas de locuteur {label} dans cette transcription",
    "it is longer than {max} characters": "elle dépasse {max} caractères",
    "it is not a valid URL": "ce n'est pas une adresse valide",
    "it must begin with http:// or https://": "elle doit commencer par http:// ou https://",
    "it names no host": "elle ne nomme aucun hôte",
    "it must not hold a user name or password": "elle ne doit contenir ni nom d'utilisateur ni mot de passe",
}

ENGINES = {
    "There is no engine {engine}; there are: {engines}.": "Le moteur {engine} n'existe pas ; il y a : {engines}.",
    "The engine {engine} has no models.": "Le moteur {engine} n'a pas de modèle.",
    "There is no task {task}; there are: {tasks}.": "La tâche {task} n'existe pas ; il y a : {tasks}.",
    "{tag} is not a language tag of BCP 47; `fr` and `en-US` are.": (
        "{tag} n'est pas une étiquette de langue BCP 47 ; `fr` et `en-US` en sont."
    ),
    "{whose} model {model}; {rest} See `python -m app weights list --all`.": (
        "{whose} modèle {model} ; {rest} Voir `python -m app weights list --all`."
    ),
    "The weights of {whose} are not on this machine. {advice}": (
        "Les poids de {whose} ne sont pas sur cette machine. {advice}"
    ),
    "The weights of {whose} are not on this machine.": "Les poids de {whose} ne sont pas sur cette machine.",
    "No engine on this machine finds out the language by itself; say which: {languages}.": (
        "Aucun moteur de cette machine ne détecte la langue ; indiquez-la : {languages}."
    ),
    "{who} cannot do {what} together. {advice}": "{who} : impossible de combiner {what}. {advice}",
    "{who} cannot do {what} together.": "{who} : impossible de combiner {what}.",
    "{who} cannot do {tag}, but only: {languages}. {advice}": (
        "{who} : langue {tag} impossible, seulement : {languages}. {advice}"
    ),
    "{who} cannot do {tag}, but only: {languages}.": "{who} : langue {tag} impossible, seulement : {languages}.",
    "{who} cannot {what}. {advice}": "{who} : impossible de {what}. {advice}",
    "{who} cannot {what}.": "{who} : impossible de {what}.",
    "Fetch what can with {command} or {other}.": "Récupérez ce qu'il faut avec {command} ou {other}.",
    "Fetch what can with {command}.": "Récupérez ce qu'il faut avec {command}.",
    "translate": "traduire",
    "take a prompt": "tenir compte d'un contexte (prompt)",
    "favour words": "favoriser des mots (hotwords)",
    "the model {model}": "du modèle {model}",
    "the engine {engine}": "du moteur {engine}",
    "The model {model} of {engine}": "Le modèle {model} de {engine}",
    "The models of {engines} that are on this machine": "Les modèles de {engines} présents sur cette machine",
    "The models of {engines}": "Les modèles de {engines}",
    "No engine knows": "Aucun moteur ne connaît de",
    "The engine {engine} knows no": "Le moteur {engine} ne connaît pas de",
    "here are: {models}.": "présents ici : {models}.",
    "none is here.": "aucun n'est présent ici.",
}

DIARIZATION = {
    "A file is needed, or {fields}.": "Un fichier est nécessaire, ou bien {fields}.",
    "Either a file or {fields}, not both.": "Un fichier ou bien {fields}, mais un seul des trois.",
    "`audioUrl` or `job_uuid`": "`audioUrl` ou `job_uuid`",
    "{n} is not a number of speakers between {min} and {max}.": (
        "{n} n'est pas un nombre de locuteurs entre {min} et {max}."
    ),
    "At least {least} and at most {most} speakers contradict each other.": (
        "Au moins {least} et au plus {most} locuteurs se contredisent."
    ),
    "Exactly {n} and at least {least} speakers contradict each other.": (
        "Exactement {n} et au moins {least} locuteurs se contredisent."
    ),
    "Exactly {n} and at most {most} speakers contradict each other.": (
        "Exactement {n} et au plus {most} locuteurs se contredisent."
    ),
    "With `channels=separate` there are two speakers, one a channel.": (
        "Avec `channels=separate`, il y a deux locuteurs, un par canal."
    ),
    "With `channels=separate` no engine tells the speakers apart: the channels do.": (
        "Avec `channels=separate`, aucun moteur ne distingue les locuteurs : les canaux le font."
    ),
    "The speakers of that job are told apart already; diarize its recording in a job of its own.": (
        "Les locuteurs de cette demande sont déjà distingués ; faites de son enregistrement une demande à part."
    ),
    "Only with a recording of its own: what was said in a finished job is not known by channel.": (
        "Seulement avec un enregistrement envoyé : d'une demande terminée, on ne sait pas ce que disait chaque canal."
    ),
    "There is no diarization engine {engine}; there are: {engines}.": (
        "Le moteur de diarisation {engine} n'existe pas ; il y a : {engines}."
    ),
    "No such model {model}; known are: {models}.": "Le modèle {model} n'existe pas ; il y a : {models}.",
    "The diarization engine {engine} cannot be used on this machine. {advice}": (
        "Le moteur de diarisation {engine} n'est pas utilisable sur cette machine. {advice}"
    ),
    "{state}: accept the conditions at {page}, make a token that may read at {tokens}, set HF_TOKEN to it; or put "
    "a copy of the pipeline into WEIGHTS_DIR/pyannote/{model}.": (
        "{state} : acceptez les conditions sur {page}, créez un jeton de lecture sur {tokens}, donnez-le dans "
        "HF_TOKEN ; ou mettez une copie du pipeline dans WEIGHTS_DIR/pyannote/{model}."
    ),
    "HF_TOKEN is not set": "HF_TOKEN n'est pas défini",
    "The token in HF_TOKEN was refused": "Le jeton de HF_TOKEN a été refusé",
    "Diarization cannot be used on this machine. {advice}": (
        "La diarisation n'est pas utilisable sur cette machine. {advice}"
    ),
}

REASONS = {
    "{kinds} or mkv": "{kinds} ou mkv",
    "all of its sound is damaged": "tout le son est abîmé",
    "the file has no bytes": "le fichier est vide",
    "its contents are not what its kind of file should hold, or it is cut short": (
        "son contenu n'est pas celui d'un fichier de cette sorte, ou il est tronqué"
    ),
    "its sound is in a codec that is not supported": "son codec n'est pas pris en charge",
    "it takes more memory than decoding may": "son décodage demande plus de mémoire que permis",
    "its header declares {declared} s, but {found} s were found in it": (
        "son en-tête annonce {declared} s, mais {found} s y ont été trouvées"
    ),
    "{found} s were found in it": "{found} s y ont été trouvées",
    "its result cannot be stored": "son résultat ne peut pas être conservé",
    "the decoder failed on it": "le décodeur a échoué",
    "it makes the decoder crash ({signal})": "il fait tomber le décodeur ({signal})",
    "nothing could be got out of it for {seconds} s": "rien n'a pu en être tiré pendant {seconds} s",
    "decoding it takes more than {seconds} s of processor time": (
        "son décodage demande plus de {seconds} s de temps de calcul"
    ),
    "its recording is not on storage": "son enregistrement n'est plus dans le stockage",
    "its worker gave no sign of life": "le processus qui la traitait n'a plus donné signe de vie",
    "the server answered {status}": "le serveur a répondu {status}",
    "the server sends it compressed": "le serveur l'envoie compressé",
    "the connection broke": "la connexion a été coupée",
    "the host {host} is not among those that this service may reach": (
        "l'hôte {host} n'est pas parmi ceux que ce service peut joindre"
    ),
    "the host {host} is not on the public Internet": "l'hôte {host} n'est pas sur l'Internet public",
    "its host is not a valid name": "son hôte n'est pas un nom valide",
    "its port is not a valid number": "son port n'est pas un nombre valide",
}

PHRASES = {**THINGS, **VALUES, **UPLOADS, **SERVICES, **ENGINES, **DIARIZATION, **REASONS}

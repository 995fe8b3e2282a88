#!/usr/bin/env bash
# Checks the machine-checked proofs of this folder and the two lists that other parts of the repository rely on.
#
#   proofs-check/coq/check.sh [--install] [--update]
#
#   --install   first install Coq with apt
#   --update    rewrite theorems.txt and constants.txt instead of comparing with them
#
# What is checked: every file compiles; nothing is admitted and no axiom is declared; every public theorem (keyword
# `Theorem`) rests on the allowed axioms only; the independent checker coqchk accepts every compiled file; the
# theorems with their axioms are those of theorems.txt and of README.md; the constants computed by Table*.v are those
# of constants.txt.
set -euo pipefail
export LC_ALL=C

allowed='ClassicalDedekindReals.sig_forall_dec ClassicalDedekindReals.sig_not_dec
FunctionalExtensionality.functional_extensionality_dep Classical_Prop.classic'
oldest=8.16

fail() {
    printf 'check.sh: %s\n' "$*" >&2
    exit 1
}

install=no update=no
for argument in "$@"; do
    case $argument in
        --install) install=yes ;;
        --update) update=yes ;;
        -h | --help)
            sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//;p;}' "${BASH_SOURCE[0]}"
            exit 0
            ;;
        *) fail "unknown option $argument; the options are --install and --update" ;;
    esac
done

sources=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$sources/../.." && pwd)
build=${CARGO_TARGET_DIR:-$root/target}/coq

if [ $install = yes ] && ! command -v coqc > /dev/null; then
    command -v apt-get > /dev/null || fail "--install needs apt-get; install Coq $oldest or later another way"
    sudo=
    if [ "$(id -u)" -ne 0 ]; then sudo=sudo; fi
    $sudo apt-get update -qq
    $sudo apt-get install -y --no-install-recommends coq
fi
for tool in coqc coqdep coqchk; do
    command -v $tool > /dev/null || fail "$tool is missing; check.sh --install gets Coq with apt"
done
version=$(coqc --print-version)
version=${version%% *}
if [ "$(printf '%s\n' $oldest "$version" | sort -V | head -n 1)" != $oldest ]; then
    fail "Coq $version is too old, $oldest or later is needed; check.sh --install gets Coq with apt"
fi

begun=$SECONDS

# The build folder holds copies of the sources; what another version of Coq compiled, or a deleted source, goes away.
# The file `accepted` says that the compiled files, and the lists beside them, have passed steps 3 to 5.
mkdir -p "$build"
build=$(cd "$build" && pwd)
cd "$build"
if command -v flock > /dev/null; then
    exec 9> lock
    flock 9
fi
state="$version $(cksum < "$sources/check.sh")"
if [ "$(cat accepted 2> /dev/null)" != "$state" ]; then rm -f accepted; fi
if [ "$(cat version 2> /dev/null)" != "$version" ]; then
    rm -f -- *.v *.vo *.vok *.vos *.glob .*.aux accepted
    printf '%s\n' "$version" > version
fi
for copy in *.v; do
    if [ -e "$copy" ] && [ ! -e "$sources/$copy" ]; then
        rm -f -- "$copy" "${copy%.v}".vo* "${copy%.v}.glob" accepted
    fi
done
for source in "$sources"/*.v; do
    cmp -s "$source" "${source##*/}" || cp -- "$source" .
done
files=(*.v)

# 1. Nothing is taken for granted in the sources.
declaration='^[[:space:]]*((Local|Global|Polymorphic|#\[[^]]*\])[[:space:]]+)*(Axioms?|Parameters?|Conjectures?)\b'
gap='\b((Admitted|admit|give_up)[[:space:]]*[.;]|Admit Obligations|Unset [A-Z][a-z]* Checking|bypass_check)'
if grep -nE -e "$declaration" -e "$gap" "${files[@]}"; then fail 'the lines above take something for granted'; fi

# 2. Compile what is not up to date, in the order of dependence.
coqdep -Q . Valleys "${files[@]}" > dependencies 2> coqdep.log || { cat coqdep.log >&2; fail 'coqdep failed'; }
order=$(coqdep -sort -Q . Valleys "${files[@]}" 2> coqdep.log) ||
    { cat coqdep.log >&2; fail 'coqdep finds no order'; }
compiled=0
for file in $order; do
    file=${file#./}
    object=${file}o
    stale=no
    # "File.vo File.glob ...: File.v Other.vo ..."
    for needed in $(sed -n "s/^$object [^:]*: *//p" dependencies); do
        if [ ! -e "$object" ] || [ "$needed" -nt "$object" ]; then stale=yes; fi
    done
    if [ $stale = yes ]; then
        printf 'coqc %s\n' "$file"
        rm -f "$object" accepted
        coqc -q -Q . Valleys "$file" || fail "$file does not compile"
        compiled=$((compiled + 1))
    fi
done

# 3. The public theorems and the axioms that each rests on: theorems.new has a line "File.name axiom axiom ..." each.
list_theorems() {
    echo 'Set Printing Width 1000.'
    for file in "${files[@]}"; do printf 'Require Valleys.%s.\n' "${file%.v}"; done
    for file in "${files[@]}"; do
        for name in $(sed -nE "s/^[[:space:]]*Theorem[[:space:]]+([A-Za-z_][A-Za-z0-9_']*).*/\1/p" "$file"); do
            printf 'Goal True. idtac "@theorem %s.%s". Abort.\n' "${file%.v}" "$name"
            printf 'Print Assumptions Valleys.%s.%s.\n' "${file%.v}" "$name"
        done
    done
}
read_axioms='
    function flush(  i, list) {
        if (name == "") return
        for (i = 1; i <= n; i++) if (seen[i]) { list = list " " bare[i]; seen[i] = 0 }
        print name (list == "" ? " none" : list)
    }
    BEGIN {
        n = split(allowed, words, /[ \n]+/)
        for (i = 1; i <= n; i++) { bare[i] = words[i]; sub(/^.*\./, "", bare[i]) }
    }
    /^@theorem / { flush(); name = $2; next }
    /^Closed under the global context/ || /^Axioms:/ || /^[[:space:]]/ || /^$/ { next }
    {
        axiom = $1
        sub(/:$/, "", axiom)
        known = 0
        for (i = 1; i <= n; i++) {
            # Coq prints as much of the path as it needs.
            tail = substr(axiom, length(axiom) - length(words[i]))
            if (axiom == words[i] || axiom == bare[i] || tail == "." words[i]) { seen[i] = 1; known = 1 }
        }
        if (!known) { print "check.sh: " name " rests on " $0 > "/dev/stderr"; bad = 1 }
    }
    END { flush(); exit bad }'

# 4. The independent checker reads the compiled files again, with the part of the standard library that they use, and
#    lists every axiom in sight.
read_summary='
    BEGIN { n = split(allowed, words, /[ \n]+/) }
    /^\* / {
        axioms = ($0 ~ /^\* Axioms:/)
        if (!axioms && $0 !~ /<none>$/ && $0 !~ /Set is predicative$/) bad = 1
        next
    }
    axioms && NF {
        known = 0
        for (i = 1; i <= n; i++) if (substr($1, length($1) - length(words[i])) == "." words[i]) known = 1
        if (!known && $1 != "<none>") bad = 1
    }
    END { exit bad }'

# 5. The constants that the tables compute: constants.new has a line "name value" each.
list_constants() {
    local tables=() table
    for table in Table*.v; do if [ -e "$table" ]; then tables+=("Valleys.${table%.v}"); fi; done
    echo 'From Coq Require Import QArith String List DecimalString.'
    printf 'Require %s.\n' "${tables[@]}"
    cat << 'END'
Definition integer (n : Z) : string := NilZero.string_of_int (Z.to_int n).
Definition number (x : Q) : string :=
  match Qred x with Qmake n 1 => integer n | Qmake n d => integer n ++ "/" ++ integer (Zpos d) end.
Definition line (e : string * Q) : string := fst e ++ " " ++ number (snd e).
Definition newline : string := String (Ascii.ascii_of_nat 10) EmptyString.
END
    printf 'Eval vm_compute in String.concat newline (map line (List.concat ('
    printf '%s.table :: ' "${tables[@]}"
    echo 'nil))).'
}

mkdir -p query
if [ ! -e accepted ]; then
    list_theorems > query/theorems.v
    coqc -q -Q . Valleys -w none query/theorems.v > theorems.out || fail 'the public theorems could not be listed'
    awk -v allowed="$allowed" "$read_axioms" theorems.out > theorems.new ||
        fail 'a theorem rests on an axiom that is not allowed'

    echo 'coqchk (a minute or two)'
    modules=()
    for file in "${files[@]}"; do modules+=("Valleys.${file%.v}"); done
    coqchk -silent -o -Q . Valleys "${modules[@]}" > coqchk.out 2>&1 ||
        { cat coqchk.out >&2; fail 'coqchk does not accept the files'; }
    awk -v allowed="$allowed" "$read_summary" coqchk.out ||
        { cat coqchk.out >&2; fail 'coqchk finds more than the allowed axioms'; }

    list_constants > query/constants.v
    coqc -q -Q . Valleys -w none query/constants.v > constants.out || fail 'the tables could not be printed'
    sed -e '1s/^ *= "//' -e '/^ *: string$/d' -e 's/"\(%string\)\{0,1\}$//' constants.out |
        sed -e '/^$/d' -e '$a\' > constants.new
    twice=$(cut -d' ' -f1 constants.new | sort | uniq -d)
    if [ -n "$twice" ]; then fail "names used twice in the tables:" $twice; fi
    printf '%s\n' "$state" > accepted
fi

# 6. Compare with the committed lists.
different=no
for list in theorems constants; do
    committed=$sources/$list.txt
    if [ $update = yes ]; then
        cmp -s $list.new "$committed" || { cp $list.new "$committed"; echo "wrote $list.txt"; }
    elif ! diff -u --label "$list.txt, committed" --label "$list.txt, checked" \
        <(cat "$committed" 2> /dev/null) $list.new; then
        different=yes
    fi
done
if [ $different = yes ]; then fail 'the lists differ as shown; check.sh --update rewrites them'; fi

# 7. The tables of README.md, with rows "| claim | `theorem`, ... | `File.v` |", name each public theorem once.
awk -F '|' '/^\|/ && $4 ~ /`[A-Za-z0-9]+\.v`/ {
    gsub(/[ `]/, "", $3); gsub(/ |`|\.v/, "", $4)
    n = split($3, names, ","); for (i = 1; i <= n; i++) print $4 "." names[i]
}' "$sources/README.md" | sort > readme.new
if ! diff -u --label README.md --label theorems readme.new <(cut -d' ' -f1 theorems.new | sort); then
    fail 'README.md does not name the public theorems as they are'
fi

cat theorems.new
printf '%d theorems in %d files and %d constants checked by Coq %s in %d s, %d files compiled\n' \
    "$(wc -l < theorems.new)" "${#files[@]}" "$(wc -l < constants.new)" "$version" $((SECONDS - begun)) $compiled

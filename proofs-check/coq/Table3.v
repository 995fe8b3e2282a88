(* Constants of LongRunSharp.v, PerRoundSharp.v, PerRoundSharpNoisy.v, Variance.v and ExactLaw.v as rational numbers.

   Each entry of [table] is computed in Q by the formula next to it, printed in lowest terms, and tied by a lemma
   "Q2R entry = the real number of the theorem" to the constant that the theorem is about. *)
From Coq Require Import Reals Lra QArith Qreals List String.
From Valleys Require Import LongRunSharp PerRoundSharp PerRoundSharpNoisy Variance ExactLaw.
Import ListNotations.
Open Scope Q_scope.

(* ---- the formulas, in Q ---- *)
Definition cycle_mean_Q (c : Q) : Q := (c - 2) / 3.
Definition noisy_mean_Q (alpha nu c : Q) : Q :=
  let theta := alpha + nu in (2 * c - 3 * theta - 1) / (theta / alpha + 2 + (c - theta - 1) / alpha).
Definition start_height_Q (c nu : Q) : Q := c - 1 - 2 * nu.
Definition round_sharp_mean_Q (c nu : Q) : Q := (start_height_Q c nu - 1) / 3.
(* K and J of PerRoundSharpNoisy.v as rationals k and j *)
Definition stair_mean_Q (alpha nu c k j : Q) : Q :=
  let w := start_height_Q c nu in let theta := alpha + nu in let top := w - 1 + nu in
  let q := (w - 1) / top in let h := 1 / k in let step := (top - h) / (j + 1) in
  let downs := (1 / (k * k)) * (k * (k + 1) / 2) - 1 in
  let highs := (j + 1) * h + step * ((j + 1) * (j + 1 + 1) / 2) + downs in
  (1 - q) * (alpha / theta * ((w + h - theta) / 3) + nu / theta * ((w + downs) / (k + 4)))
    + q * ((w + highs) / (j + k + 4)).
Definition rare_mean_Q (b c : Q) : Q := - (b * c / (b + c)).
Definition rare_variance_Q (b c : Q) : Q := b * (c - b).
Definition exact_mean_Q (eta b s : Q) : Q := eta * (s - b) / 2.

(* ---- the entries ---- *)
Definition cycle_1 : Q := Qred (cycle_mean_Q (3 # 2)).
Definition cycle_2 : Q := Qred (cycle_mean_Q (19 # 10)).
Definition noisy_1 : Q := Qred (noisy_mean_Q (3 # 4) (3 # 4) (27 # 10)).
Definition noisy_2 : Q := Qred (noisy_mean_Q 1 1 (33 # 10)).
Definition noisy_3 : Q := Qred (noisy_mean_Q 1 (3 # 2) 4).
Definition round_1_height : Q := Qred (start_height_Q (29 # 10) (1 # 2)).
Definition round_1 : Q := Qred (round_sharp_mean_Q (29 # 10) (1 # 2)).
Definition round_2 : Q := Qred (round_sharp_mean_Q (9 # 4) (1 # 4)).
Definition stair_1 : Q := Qred (stair_mean_Q 1 1 (9 # 2) 100 1).
Definition rare_1 : Q := Qred (rare_mean_Q (1 # 400) 100).
Definition rare_1_variance : Q := Qred (rare_variance_Q (1 # 400) 100).
Definition rare_2 : Q := Qred (rare_mean_Q (1 # 20) 4).
Definition rare_2_variance : Q := Qred (rare_variance_Q (1 # 20) 4).
Definition exact_1 : Q := Qred (exact_mean_Q 1 (3 # 10) (13 # 10)).
Definition exact_2 : Q := Qred (exact_mean_Q (1 # 10) 1 3).

(* ---- the ties ---- *)
Open Scope R_scope.
Lemma INR_100 : INR 100 = 100.
Proof. rewrite INR_IZR_INZ. reflexivity. Qed.

Ltac tie q := let v := eval vm_compute in q in
  change q with v; unfold Q2R; cbn [Qnum Qden]; unfold cycle_mean, noisy_mean, noisy_z, noisy_theta,
    round_sharp_mean, start_height, rare_mean, rare_variance, exact_mean; field.

Lemma cycle_1_tie : Q2R cycle_1 = cycle_mean (3 / 2).
Proof. tie cycle_1. Qed.
Lemma cycle_2_tie : Q2R cycle_2 = cycle_mean (19 / 10).
Proof. tie cycle_2. Qed.
Lemma noisy_1_tie : Q2R noisy_1 = noisy_mean (3 / 4) (3 / 4) (27 / 10).
Proof. tie noisy_1. Qed.
Lemma noisy_2_tie : Q2R noisy_2 = noisy_mean 1 1 (33 / 10).
Proof. tie noisy_2. Qed.
Lemma noisy_3_tie : Q2R noisy_3 = noisy_mean 1 (3 / 2) 4.
Proof. tie noisy_3. Qed.
Lemma round_1_height_tie : Q2R round_1_height = start_height (29 / 10) (1 / 2).
Proof. tie round_1_height. Qed.
Lemma round_1_tie : Q2R round_1 = round_sharp_mean (29 / 10) (1 / 2).
Proof. tie round_1. Qed.
Lemma round_2_tie : Q2R round_2 = round_sharp_mean (9 / 4) (1 / 4).
Proof. tie round_2. Qed.
Lemma stair_1_tie : Q2R stair_1 = stair_mean 1 1 (9 / 2) 100 1.
Proof.
  unfold stair_mean, early_mean, long_mean, high_mean, highs_sum, downs_sum, stair_length, stair_b, stair_height,
    stair_q, stair_top, stair_theta. rewrite INR_100. change (INR 2) with (1 + 1).
  change (INR 1) with 1. tie stair_1. Qed.
Lemma rare_1_tie : Q2R rare_1 = rare_mean (1 / 400) 100.
Proof. tie rare_1. Qed.
Lemma rare_1_variance_tie : Q2R rare_1_variance = rare_variance (1 / 400) 100.
Proof. tie rare_1_variance. Qed.
Lemma rare_2_tie : Q2R rare_2 = rare_mean (1 / 20) 4.
Proof. tie rare_2. Qed.
Lemma rare_2_variance_tie : Q2R rare_2_variance = rare_variance (1 / 20) 4.
Proof. tie rare_2_variance. Qed.
Lemma exact_1_tie : Q2R exact_1 = exact_mean 1 (3 / 10) (13 / 10).
Proof. tie exact_1. Qed.
Lemma exact_2_tie : Q2R exact_2 = exact_mean (1 / 10) 1 3.
Proof. tie exact_2. Qed.

Open Scope string_scope.
Definition table : list (string * Q) :=
  [("long-run.cycle.mean.c=3/2", cycle_1);
   ("long-run.cycle.mean.c=19/10", cycle_2);
   ("long-run.noisy-cycle.mean.nu=3/4.c=27/10", noisy_1);
   ("long-run.noisy-cycle.mean.nu=1.c=33/10", noisy_2);
   ("long-run.noisy-cycle.mean.nu=3/2.c=4", noisy_3);
   ("per-round.height.nu=1/2.c=29/10", round_1_height);
   ("per-round.mean.nu=1/2.c=29/10", round_1);
   ("per-round.mean.nu=1/4.c=9/4", round_2);
   ("per-round.stairs.mean.nu=1.c=9/2.k=100.j=1", stair_1);
   ("variance.mean.b=1/400.c=100", rare_1);
   ("variance.variance.b=1/400.c=100", rare_1_variance);
   ("variance.mean.b=1/20.c=4", rare_2);
   ("variance.variance.b=1/20.c=4", rare_2_variance);
   ("exact-law.mean.b=3/10.s=13/10.eta=1", exact_1);
   ("exact-law.mean.b=1.s=3.eta=1/10", exact_2)].

(* The constants of Theorem 2 as rational numbers.

   For each function of the statements (real numbers) there is a rational twin with the same formula, named f_Q, and a
   lemma that the two agree. [table] lists values computed from the twins by Coq; [table_is_true] says that each is
   the real constant that the theorems speak of, listed under the same name in [constants].

   In the names of the entries eta = a = 1 throughout; B = c in the long-run constant; m is in units of D. *)
From Coq Require Import Reals QArith Qreals Lra Lia List String.
From Valleys Require Import Process Sgd Steps Pathwise RoundLength PerRound LongRun Theorem2Printed Deterministic.
Import ListNotations.

(* ---------------- the remaining real constants ---------------- *)
Open Scope R_scope.

(* (P): prepared rounds are positive on every path if c > 2 + 3 nu (a = 1): [prepared_rounds_positive]. *)
Definition pathwise_threshold (nu : R) : R := 2 + 3 * nu.
(* (C): the bound on the expected length of a round from w_min: [expected_round_length]. *)
Definition round_length_bound (eta a b c nu : R) : R := 1 + (w_min eta a c nu + overshoot eta a nu) / (eta * b).
(* (L): the rate of [long_run_headline]. *)
Definition headline_rate (eta a b c : R) : R := eta * b * Rmin 1 (2 * a * (c - 2) / (c * a + 2 * b)).
(* The average of the frozen round of [zero_mean_noise_needed], and of the first round of [first_round_negative]. *)
Definition freeze_average (k : R) : R := 119 / (17 + k).
Definition first_round_average : R := - (1/2).

Lemma pathwise_threshold_is nu c a : a = 1 -> (pathwise_threshold nu < c <-> 3 * nu < (c - 2) * a).
Proof. intros ->. unfold pathwise_threshold. lra. Qed.
Lemma freeze_average_is K n : EP (det_step (fnext K)) (n + Datatypes.S K + 15) (15, K) (round_mean (R * nat) fpos) =
  freeze_average (INR K).
Proof. apply freeze_mean. Qed.
Lemma first_round_average_is c n : 1 < c ->
  EP (det_step (plain_next c)) (Datatypes.S n) 0 (round_mean R (fun w => w)) = first_round_average.
Proof. intros Hc. apply (first_round_negative c n Hc). Qed.

(* ---------------- the rational twins ---------------- *)
Open Scope Q_scope.

Definition max_Q (x y : Q) : Q := if Qle_bool x y then y else x.
Definition min_Q (x y : Q) : Q := if Qle_bool x y then x else y.

Definition fall_Q (eta a nu : Q) : Q := eta * (a + nu).
Definition w_min_Q (eta a c nu : Q) : Q := eta * ((c - 1) * a - 2 * nu).
Definition overshoot_Q (eta a nu : Q) : Q := eta * max_Q a (min_Q (2 * nu) (a + nu)).
Definition least_sum_Q (D m n : Q) : Q := D * ((n + 1) * (m - n / 2) - 1).
Definition pathwise_threshold_Q (nu : Q) : Q := 2 + 3 * nu.
Definition Qf_Q (D w : Q) : Q := max_Q w (w * (w + D) / (2 * D)).
Definition c0f_Q (D th bb w : Q) : Q := (Qf_Q D w - th) / (1 + (w + th) / bb).
Definition c0_Q (eta a b c nu : Q) : Q :=
  c0f_Q (fall_Q eta a nu) (overshoot_Q eta a nu) (eta * b) (w_min_Q eta a c nu).
Definition round_length_bound_Q (eta a b c nu : Q) : Q :=
  1 + (w_min_Q eta a c nu + overshoot_Q eta a nu) / (eta * b).
Definition per_round_threshold_Q (nu : Q) : Q := 1 + 2 * nu + max_Q 1 (min_Q (2 * nu) (1 + nu)).
Definition Pf_Q (a' y : Q) : Q := max_Q y (2 * y - a').
Definition rate_f_Q (a' bb cc th : Q) : Q := bb * min_Q 1 ((Pf_Q a' (cc - th) - th) / (cc + 2 * bb)).
Definition long_run_rate_Q (eta a b c nu : Q) : Q :=
  rate_f_Q (eta * a) (eta * b) (eta * (c * a)) (overshoot_Q eta a nu).
Definition long_run_constant_Q (eta a b B c nu : Q) : Q :=
  fall_Q eta a nu + long_run_rate_Q eta a b c nu + (2 * (eta * (B + nu)) + 8 * fall_Q eta a nu).
Definition long_run_threshold_Q (nu : Q) : Q :=
  max_Q ((3 * max_Q 1 (min_Q (2 * nu) (1 + nu)) + 1) / 2) (1 + 2 * nu).
Definition headline_rate_Q (eta a b c : Q) : Q := eta * b * min_Q 1 (2 * a * (c - 2) / (c * a + 2 * b)).
Definition freeze_average_Q (k : Q) : Q := 119 / (17 + k).
Definition first_round_average_Q : Q := - (1/2).

(* ---------------- the twins agree ---------------- *)
Lemma Q2R_max x y : Q2R (max_Q x y) = Rmax (Q2R x) (Q2R y).
Proof.
  unfold max_Q. destruct (Qle_bool x y) eqn:E.
  - apply Qle_bool_iff, Qle_Rle in E. rewrite Rmax_right; auto.
  - assert (Q2R y < Q2R x)%R; [|rewrite Rmax_left; lra].
    apply Qlt_Rlt. apply Qnot_le_lt. intros L. apply Qle_bool_iff in L. congruence.
Qed.
Lemma Q2R_min x y : Q2R (min_Q x y) = Rmin (Q2R x) (Q2R y).
Proof.
  unfold min_Q. destruct (Qle_bool x y) eqn:E.
  - apply Qle_bool_iff, Qle_Rle in E. rewrite Rmin_left; auto.
  - assert (Q2R y < Q2R x)%R; [|rewrite Rmin_right; lra].
    apply Qlt_Rlt. apply Qnot_le_lt. intros L. apply Qle_bool_iff in L. congruence.
Qed.
Lemma Q2R_int z : Q2R (z # 1) = IZR z.
Proof. unfold Q2R. simpl. lra. Qed.

Ltac q2r := repeat (first [rewrite Q2R_plus | rewrite Q2R_minus | rewrite Q2R_mult | rewrite Q2R_opp
  | rewrite Q2R_max | rewrite Q2R_min | rewrite Q2R_div by auto]); rewrite ?Q2R_int.

Lemma nonzero_2 : ~ 2 == 0. Proof. discriminate. Qed.
#[local] Hint Resolve nonzero_2 : core.

Lemma fall_agrees eta a nu : Q2R (fall_Q eta a nu) = fall (Q2R eta) (Q2R a) (Q2R nu).
Proof. unfold fall_Q, fall. q2r. reflexivity. Qed.
Lemma w_min_agrees eta a c nu : Q2R (w_min_Q eta a c nu) = w_min (Q2R eta) (Q2R a) (Q2R c) (Q2R nu).
Proof. unfold w_min_Q, w_min. q2r. reflexivity. Qed.
Lemma overshoot_agrees eta a nu : Q2R (overshoot_Q eta a nu) = overshoot (Q2R eta) (Q2R a) (Q2R nu).
Proof. unfold overshoot_Q, overshoot. q2r. reflexivity. Qed.
Lemma least_sum_agrees D m n : Q2R (least_sum_Q D m n) = least_sum (Q2R D) (Q2R m) (Q2R n).
Proof. unfold least_sum_Q, least_sum. q2r. reflexivity. Qed.
Lemma pathwise_threshold_agrees nu : Q2R (pathwise_threshold_Q nu) = pathwise_threshold (Q2R nu).
Proof. unfold pathwise_threshold_Q, pathwise_threshold. q2r. reflexivity. Qed.
Lemma Qf_agrees D w : ~ 2 * D == 0 -> Q2R (Qf_Q D w) = Qf (Q2R D) (Q2R w).
Proof. intros. unfold Qf_Q, Qf. q2r. reflexivity. Qed.
Lemma c0f_agrees D th bb w : ~ 2 * D == 0 -> ~ bb == 0 -> ~ 1 + (w + th) / bb == 0 ->
  Q2R (c0f_Q D th bb w) = c0f (Q2R D) (Q2R th) (Q2R bb) (Q2R w).
Proof. intros. unfold c0f_Q, c0f. q2r. rewrite Qf_agrees by auto. reflexivity. Qed.
Lemma c0_agrees eta a b c nu : ~ 2 * fall_Q eta a nu == 0 -> ~ eta * b == 0 ->
  ~ 1 + (w_min_Q eta a c nu + overshoot_Q eta a nu) / (eta * b) == 0 ->
  Q2R (c0_Q eta a b c nu) = c0 (Q2R eta) (Q2R a) (Q2R b) (Q2R c) (Q2R nu).
Proof.
  intros. unfold c0_Q, c0. rewrite c0f_agrees, fall_agrees, overshoot_agrees, w_min_agrees by auto. q2r. reflexivity.
Qed.
Lemma round_length_bound_agrees eta a b c nu : ~ eta * b == 0 ->
  Q2R (round_length_bound_Q eta a b c nu) = round_length_bound (Q2R eta) (Q2R a) (Q2R b) (Q2R c) (Q2R nu).
Proof.
  intros. unfold round_length_bound_Q, round_length_bound. q2r. rewrite overshoot_agrees, w_min_agrees. reflexivity.
Qed.
Lemma per_round_threshold_agrees nu : Q2R (per_round_threshold_Q nu) = per_round_threshold (Q2R nu).
Proof. unfold per_round_threshold_Q, per_round_threshold. q2r. reflexivity. Qed.
Lemma rate_f_agrees a' bb cc th : ~ cc + 2 * bb == 0 ->
  Q2R (rate_f_Q a' bb cc th) = rate_f (Q2R a') (Q2R bb) (Q2R cc) (Q2R th).
Proof. intros. unfold rate_f_Q, rate_f, Pf_Q, Pf. q2r. reflexivity. Qed.
Lemma long_run_rate_agrees eta a b c nu : ~ eta * (c * a) + 2 * (eta * b) == 0 ->
  Q2R (long_run_rate_Q eta a b c nu) = long_run_rate (Q2R eta) (Q2R a) (Q2R b) (Q2R c) (Q2R nu).
Proof.
  intros. unfold long_run_rate_Q, long_run_rate. rewrite rate_f_agrees, overshoot_agrees by auto. q2r. reflexivity.
Qed.
Lemma long_run_constant_agrees eta a b B c nu : ~ eta * (c * a) + 2 * (eta * b) == 0 ->
  Q2R (long_run_constant_Q eta a b B c nu) =
  long_run_constant (Q2R eta) (Q2R a) (Q2R b) (Q2R B) (Q2R c) (Q2R nu).
Proof.
  intros. unfold long_run_constant_Q, long_run_constant. q2r. rewrite fall_agrees, long_run_rate_agrees by auto.
  reflexivity.
Qed.
Lemma long_run_threshold_agrees nu : Q2R (long_run_threshold_Q nu) = long_run_threshold (Q2R nu).
Proof. unfold long_run_threshold_Q, long_run_threshold. q2r. reflexivity. Qed.
Lemma headline_rate_agrees eta a b c : ~ c * a + 2 * b == 0 ->
  Q2R (headline_rate_Q eta a b c) = headline_rate (Q2R eta) (Q2R a) (Q2R b) (Q2R c).
Proof. intros. unfold headline_rate_Q, headline_rate. q2r. reflexivity. Qed.
Lemma freeze_average_agrees k : ~ 17 + k == 0 -> Q2R (freeze_average_Q k) = freeze_average (Q2R k).
Proof. intros. unfold freeze_average_Q, freeze_average. q2r. reflexivity. Qed.
Lemma first_round_average_agrees : Q2R first_round_average_Q = first_round_average.
Proof. unfold first_round_average_Q, first_round_average. q2r. reflexivity. Qed.

(* ---------------- the table ---------------- *)
Open Scope string_scope.

Definition values : list (string * Q) := [
  ("pathwise.bound.m=1/2", least_sum_Q 1 (1#2) 0);
  ("pathwise.bound.m=1", least_sum_Q 1 1 1);
  ("pathwise.bound.m=3/2", least_sum_Q 1 (3#2) 1);
  ("pathwise.bound.m=2", least_sum_Q 1 2 2);
  ("pathwise.bound.m=5/2", least_sum_Q 1 (5#2) 2);
  ("pathwise.bound.m=3", least_sum_Q 1 3 3);
  ("pathwise.bound.m=7/2", least_sum_Q 1 (7#2) 3);
  ("pathwise.bound.m=10", least_sum_Q 1 10 10);
  ("overshoot.nu=0", overshoot_Q 1 1 0);
  ("overshoot.nu=1/4", overshoot_Q 1 1 (1#4));
  ("overshoot.nu=1/2", overshoot_Q 1 1 (1#2));
  ("overshoot.nu=3/4", overshoot_Q 1 1 (3#4));
  ("overshoot.nu=1", overshoot_Q 1 1 1);
  ("overshoot.nu=3/2", overshoot_Q 1 1 (3#2));
  ("overshoot.nu=2", overshoot_Q 1 1 2);
  ("pathwise.threshold.nu=0", pathwise_threshold_Q 0);
  ("pathwise.threshold.nu=1/4", pathwise_threshold_Q (1#4));
  ("pathwise.threshold.nu=1/2", pathwise_threshold_Q (1#2));
  ("pathwise.threshold.nu=3/4", pathwise_threshold_Q (3#4));
  ("pathwise.threshold.nu=1", pathwise_threshold_Q 1);
  ("pathwise.threshold.nu=3/2", pathwise_threshold_Q (3#2));
  ("pathwise.threshold.nu=2", pathwise_threshold_Q 2);
  ("per-round.threshold.nu=0", per_round_threshold_Q 0);
  ("per-round.threshold.nu=1/4", per_round_threshold_Q (1#4));
  ("per-round.threshold.nu=1/2", per_round_threshold_Q (1#2));
  ("per-round.threshold.nu=3/4", per_round_threshold_Q (3#4));
  ("per-round.threshold.nu=1", per_round_threshold_Q 1);
  ("per-round.threshold.nu=3/2", per_round_threshold_Q (3#2));
  ("per-round.threshold.nu=2", per_round_threshold_Q 2);
  ("per-round.c0.c=3.nu=0.b=1", c0_Q 1 1 1 3 0);
  ("per-round.c0.c=3.nu=0.b=1/2", c0_Q 1 1 (1#2) 3 0);
  ("per-round.c0.c=5/2.nu=1/8.b=1/2", c0_Q 1 1 (1#2) (5#2) (1#8));
  ("per-round.c0.c=4.nu=1/4.b=1", c0_Q 1 1 1 4 (1#4));
  ("per-round.c0.c=4.nu=1/2.b=1/2", c0_Q 1 1 (1#2) 4 (1#2));
  ("per-round.c0.c=9/2.nu=3/4.b=1/2", c0_Q 1 1 (1#2) (9#2) (3#4));
  ("per-round.c0.c=6.nu=1.b=1/2", c0_Q 1 1 (1#2) 6 1);
  ("per-round.c0.c=10.nu=1.b=1/4", c0_Q 1 1 (1#4) 10 1);
  ("per-round.c0.c=16.nu=1.b=1/2", c0_Q 1 1 (1#2) 16 1);
  ("per-round.c0.c=8.nu=3/2.b=1/2", c0_Q 1 1 (1#2) 8 (3#2));
  ("per-round.length.c=3.nu=0.b=1", round_length_bound_Q 1 1 1 3 0);
  ("per-round.length.c=3.nu=0.b=1/2", round_length_bound_Q 1 1 (1#2) 3 0);
  ("per-round.length.c=5/2.nu=1/8.b=1/2", round_length_bound_Q 1 1 (1#2) (5#2) (1#8));
  ("per-round.length.c=4.nu=1/4.b=1", round_length_bound_Q 1 1 1 4 (1#4));
  ("per-round.length.c=4.nu=1/2.b=1/2", round_length_bound_Q 1 1 (1#2) 4 (1#2));
  ("per-round.length.c=9/2.nu=3/4.b=1/2", round_length_bound_Q 1 1 (1#2) (9#2) (3#4));
  ("per-round.length.c=6.nu=1.b=1/2", round_length_bound_Q 1 1 (1#2) 6 1);
  ("per-round.length.c=10.nu=1.b=1/4", round_length_bound_Q 1 1 (1#4) 10 1);
  ("per-round.length.c=16.nu=1.b=1/2", round_length_bound_Q 1 1 (1#2) 16 1);
  ("per-round.length.c=8.nu=3/2.b=1/2", round_length_bound_Q 1 1 (1#2) 8 (3#2));
  ("long-run.threshold.nu=0", long_run_threshold_Q 0);
  ("long-run.threshold.nu=1/4", long_run_threshold_Q (1#4));
  ("long-run.threshold.nu=1/2", long_run_threshold_Q (1#2));
  ("long-run.threshold.nu=3/4", long_run_threshold_Q (3#4));
  ("long-run.threshold.nu=1", long_run_threshold_Q 1);
  ("long-run.threshold.nu=3/2", long_run_threshold_Q (3#2));
  ("long-run.threshold.nu=2", long_run_threshold_Q 2);
  ("long-run.threshold.nu=3", long_run_threshold_Q 3);
  ("long-run.rate.c=5/2.nu=0.b=1", long_run_rate_Q 1 1 1 (5#2) 0);
  ("long-run.rate.c=5/2.nu=1/4.b=1/4", long_run_rate_Q 1 1 (1#4) (5#2) (1#4));
  ("long-run.rate.c=3.nu=0.b=1", long_run_rate_Q 1 1 1 3 0);
  ("long-run.rate.c=3.nu=1/2.b=1/2", long_run_rate_Q 1 1 (1#2) 3 (1#2));
  ("long-run.rate.c=3.nu=3/4.b=1/2", long_run_rate_Q 1 1 (1#2) 3 (3#4));
  ("long-run.rate.c=4.nu=1.b=1/2", long_run_rate_Q 1 1 (1#2) 4 1);
  ("long-run.rate.c=4.nu=1/2.b=1/2", long_run_rate_Q 1 1 (1#2) 4 (1#2));
  ("long-run.rate.c=6.nu=3/2.b=1/2", long_run_rate_Q 1 1 (1#2) 6 (3#2));
  ("long-run.rate.c=6.nu=2.b=1/4", long_run_rate_Q 1 1 (1#4) 6 2);
  ("long-run.rate.c=16.nu=1.b=1/2", long_run_rate_Q 1 1 (1#2) 16 1);
  ("long-run.headline-rate.c=5/2.nu=0.b=1", headline_rate_Q 1 1 1 (5#2));
  ("long-run.headline-rate.c=5/2.nu=1/4.b=1/4", headline_rate_Q 1 1 (1#4) (5#2));
  ("long-run.headline-rate.c=3.nu=0.b=1", headline_rate_Q 1 1 1 3);
  ("long-run.headline-rate.c=3.nu=1/2.b=1/2", headline_rate_Q 1 1 (1#2) 3);
  ("long-run.headline-rate.c=4.nu=1/2.b=1/2", headline_rate_Q 1 1 (1#2) 4);
  ("long-run.constant.c=5/2.nu=0.b=1", long_run_constant_Q 1 1 1 (5#2) (5#2) 0);
  ("long-run.constant.c=5/2.nu=1/4.b=1/4", long_run_constant_Q 1 1 (1#4) (5#2) (5#2) (1#4));
  ("long-run.constant.c=3.nu=0.b=1", long_run_constant_Q 1 1 1 3 3 0);
  ("long-run.constant.c=3.nu=1/2.b=1/2", long_run_constant_Q 1 1 (1#2) 3 3 (1#2));
  ("long-run.constant.c=3.nu=3/4.b=1/2", long_run_constant_Q 1 1 (1#2) 3 3 (3#4));
  ("long-run.constant.c=4.nu=1.b=1/2", long_run_constant_Q 1 1 (1#2) 4 4 1);
  ("long-run.constant.c=4.nu=1/2.b=1/2", long_run_constant_Q 1 1 (1#2) 4 4 (1#2));
  ("long-run.constant.c=6.nu=3/2.b=1/2", long_run_constant_Q 1 1 (1#2) 6 6 (3#2));
  ("long-run.constant.c=6.nu=2.b=1/4", long_run_constant_Q 1 1 (1#4) 6 6 2);
  ("long-run.constant.c=16.nu=1.b=1/2", long_run_constant_Q 1 1 (1#2) 16 16 1);
  ("zero-mean-needed.mean.k=0", freeze_average_Q 0);
  ("zero-mean-needed.mean.k=100", freeze_average_Q 100);
  ("zero-mean-needed.mean.k=10000", freeze_average_Q 10000);
  ("first-round.mean", first_round_average_Q)
].

Open Scope R_scope.
Definition constants : list (string * R) := [
  ("pathwise.bound.m=1/2", least_sum 1 (1/2) 0);
  ("pathwise.bound.m=1", least_sum 1 1 1);
  ("pathwise.bound.m=3/2", least_sum 1 (3/2) 1);
  ("pathwise.bound.m=2", least_sum 1 2 2);
  ("pathwise.bound.m=5/2", least_sum 1 (5/2) 2);
  ("pathwise.bound.m=3", least_sum 1 3 3);
  ("pathwise.bound.m=7/2", least_sum 1 (7/2) 3);
  ("pathwise.bound.m=10", least_sum 1 10 10);
  ("overshoot.nu=0", overshoot 1 1 0);
  ("overshoot.nu=1/4", overshoot 1 1 (1/4));
  ("overshoot.nu=1/2", overshoot 1 1 (1/2));
  ("overshoot.nu=3/4", overshoot 1 1 (3/4));
  ("overshoot.nu=1", overshoot 1 1 1);
  ("overshoot.nu=3/2", overshoot 1 1 (3/2));
  ("overshoot.nu=2", overshoot 1 1 2);
  ("pathwise.threshold.nu=0", pathwise_threshold 0);
  ("pathwise.threshold.nu=1/4", pathwise_threshold (1/4));
  ("pathwise.threshold.nu=1/2", pathwise_threshold (1/2));
  ("pathwise.threshold.nu=3/4", pathwise_threshold (3/4));
  ("pathwise.threshold.nu=1", pathwise_threshold 1);
  ("pathwise.threshold.nu=3/2", pathwise_threshold (3/2));
  ("pathwise.threshold.nu=2", pathwise_threshold 2);
  ("per-round.threshold.nu=0", per_round_threshold 0);
  ("per-round.threshold.nu=1/4", per_round_threshold (1/4));
  ("per-round.threshold.nu=1/2", per_round_threshold (1/2));
  ("per-round.threshold.nu=3/4", per_round_threshold (3/4));
  ("per-round.threshold.nu=1", per_round_threshold 1);
  ("per-round.threshold.nu=3/2", per_round_threshold (3/2));
  ("per-round.threshold.nu=2", per_round_threshold 2);
  ("per-round.c0.c=3.nu=0.b=1", c0 1 1 1 3 0);
  ("per-round.c0.c=3.nu=0.b=1/2", c0 1 1 (1/2) 3 0);
  ("per-round.c0.c=5/2.nu=1/8.b=1/2", c0 1 1 (1/2) (5/2) (1/8));
  ("per-round.c0.c=4.nu=1/4.b=1", c0 1 1 1 4 (1/4));
  ("per-round.c0.c=4.nu=1/2.b=1/2", c0 1 1 (1/2) 4 (1/2));
  ("per-round.c0.c=9/2.nu=3/4.b=1/2", c0 1 1 (1/2) (9/2) (3/4));
  ("per-round.c0.c=6.nu=1.b=1/2", c0 1 1 (1/2) 6 1);
  ("per-round.c0.c=10.nu=1.b=1/4", c0 1 1 (1/4) 10 1);
  ("per-round.c0.c=16.nu=1.b=1/2", c0 1 1 (1/2) 16 1);
  ("per-round.c0.c=8.nu=3/2.b=1/2", c0 1 1 (1/2) 8 (3/2));
  ("per-round.length.c=3.nu=0.b=1", round_length_bound 1 1 1 3 0);
  ("per-round.length.c=3.nu=0.b=1/2", round_length_bound 1 1 (1/2) 3 0);
  ("per-round.length.c=5/2.nu=1/8.b=1/2", round_length_bound 1 1 (1/2) (5/2) (1/8));
  ("per-round.length.c=4.nu=1/4.b=1", round_length_bound 1 1 1 4 (1/4));
  ("per-round.length.c=4.nu=1/2.b=1/2", round_length_bound 1 1 (1/2) 4 (1/2));
  ("per-round.length.c=9/2.nu=3/4.b=1/2", round_length_bound 1 1 (1/2) (9/2) (3/4));
  ("per-round.length.c=6.nu=1.b=1/2", round_length_bound 1 1 (1/2) 6 1);
  ("per-round.length.c=10.nu=1.b=1/4", round_length_bound 1 1 (1/4) 10 1);
  ("per-round.length.c=16.nu=1.b=1/2", round_length_bound 1 1 (1/2) 16 1);
  ("per-round.length.c=8.nu=3/2.b=1/2", round_length_bound 1 1 (1/2) 8 (3/2));
  ("long-run.threshold.nu=0", long_run_threshold 0);
  ("long-run.threshold.nu=1/4", long_run_threshold (1/4));
  ("long-run.threshold.nu=1/2", long_run_threshold (1/2));
  ("long-run.threshold.nu=3/4", long_run_threshold (3/4));
  ("long-run.threshold.nu=1", long_run_threshold 1);
  ("long-run.threshold.nu=3/2", long_run_threshold (3/2));
  ("long-run.threshold.nu=2", long_run_threshold 2);
  ("long-run.threshold.nu=3", long_run_threshold 3);
  ("long-run.rate.c=5/2.nu=0.b=1", long_run_rate 1 1 1 (5/2) 0);
  ("long-run.rate.c=5/2.nu=1/4.b=1/4", long_run_rate 1 1 (1/4) (5/2) (1/4));
  ("long-run.rate.c=3.nu=0.b=1", long_run_rate 1 1 1 3 0);
  ("long-run.rate.c=3.nu=1/2.b=1/2", long_run_rate 1 1 (1/2) 3 (1/2));
  ("long-run.rate.c=3.nu=3/4.b=1/2", long_run_rate 1 1 (1/2) 3 (3/4));
  ("long-run.rate.c=4.nu=1.b=1/2", long_run_rate 1 1 (1/2) 4 1);
  ("long-run.rate.c=4.nu=1/2.b=1/2", long_run_rate 1 1 (1/2) 4 (1/2));
  ("long-run.rate.c=6.nu=3/2.b=1/2", long_run_rate 1 1 (1/2) 6 (3/2));
  ("long-run.rate.c=6.nu=2.b=1/4", long_run_rate 1 1 (1/4) 6 2);
  ("long-run.rate.c=16.nu=1.b=1/2", long_run_rate 1 1 (1/2) 16 1);
  ("long-run.headline-rate.c=5/2.nu=0.b=1", headline_rate 1 1 1 (5/2));
  ("long-run.headline-rate.c=5/2.nu=1/4.b=1/4", headline_rate 1 1 (1/4) (5/2));
  ("long-run.headline-rate.c=3.nu=0.b=1", headline_rate 1 1 1 3);
  ("long-run.headline-rate.c=3.nu=1/2.b=1/2", headline_rate 1 1 (1/2) 3);
  ("long-run.headline-rate.c=4.nu=1/2.b=1/2", headline_rate 1 1 (1/2) 4);
  ("long-run.constant.c=5/2.nu=0.b=1", long_run_constant 1 1 1 (5/2) (5/2) 0);
  ("long-run.constant.c=5/2.nu=1/4.b=1/4", long_run_constant 1 1 (1/4) (5/2) (5/2) (1/4));
  ("long-run.constant.c=3.nu=0.b=1", long_run_constant 1 1 1 3 3 0);
  ("long-run.constant.c=3.nu=1/2.b=1/2", long_run_constant 1 1 (1/2) 3 3 (1/2));
  ("long-run.constant.c=3.nu=3/4.b=1/2", long_run_constant 1 1 (1/2) 3 3 (3/4));
  ("long-run.constant.c=4.nu=1.b=1/2", long_run_constant 1 1 (1/2) 4 4 1);
  ("long-run.constant.c=4.nu=1/2.b=1/2", long_run_constant 1 1 (1/2) 4 4 (1/2));
  ("long-run.constant.c=6.nu=3/2.b=1/2", long_run_constant 1 1 (1/2) 6 6 (3/2));
  ("long-run.constant.c=6.nu=2.b=1/4", long_run_constant 1 1 (1/4) 6 6 2);
  ("long-run.constant.c=16.nu=1.b=1/2", long_run_constant 1 1 (1/2) 16 16 1);
  ("zero-mean-needed.mean.k=0", freeze_average 0);
  ("zero-mean-needed.mean.k=100", freeze_average 100);
  ("zero-mean-needed.mean.k=10000", freeze_average 10000);
  ("first-round.mean", first_round_average)
].

Definition lowest_terms (l : list (string * Q)) : list (string * Q) := map (fun e => (fst e, Qred (snd e))) l.

(* Each value in the table is the real constant of the same name. *)
Theorem table_is_true : Forall2 (fun v k => fst v = fst k /\ Q2R (snd v) = snd k) (lowest_terms values) constants.
Proof.
  unfold values, constants. cbn [lowest_terms map fst snd].
  repeat (constructor; [cbn [fst snd]; split; [reflexivity|] | ]); try apply Forall2_nil.
  all: rewrite (Qeq_eqR _ _ (Qred_correct _)).
  all: first
    [ rewrite least_sum_agrees | rewrite overshoot_agrees | rewrite pathwise_threshold_agrees
    | rewrite per_round_threshold_agrees | rewrite c0_agrees by discriminate
    | rewrite round_length_bound_agrees by discriminate | rewrite long_run_threshold_agrees
    | rewrite long_run_rate_agrees by discriminate | rewrite long_run_constant_agrees by discriminate
    | rewrite headline_rate_agrees by discriminate | rewrite freeze_average_agrees by discriminate
    | rewrite first_round_average_agrees ].
  all: f_equal; unfold Q2R; simpl; lra.
Qed.

Definition table : list (string * Q) := lowest_terms values.

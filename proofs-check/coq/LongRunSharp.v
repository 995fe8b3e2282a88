(* Statement (L), the average over all iterations, in the units eta = a = 1: its threshold for c is exact.

   (L) needs (LongRun.long_run_threshold)
     c > 2 (nu <= 1/2),   c > 3 nu + 1/2 (1/2 <= nu <= 1),   c > 2 + 3 nu / 2 (1 <= nu <= 2).
   Here: below each of these numbers, processes that meet every condition of [sgd] and whose average over all
   iterations tends to a negative number, from every start. Two families are enough:
   1. the noise-free cycle (c - 1, 0, -1), for every nu;
   2. for nu > 1/2 the noisy cycle, with alpha = min(1, nu) and theta = alpha + nu, on four positions:
        A = 0         slope alpha, noise -alpha (stay at A) or nu (to B), so that its mean is zero,
        B = -theta    slope -c, no noise, to Y,
        Y = c - theta slope 1, noise of mean zero, to A or to N,
        N = alpha     slope alpha, no noise, to A.
   The second family needs b <= alpha; for nu <= 1/2 every b < 1 is covered. For nu > 2 (L) needs c > 1 + 2 nu;
   there the noisy cycle still refutes every c <= 3 + nu, and nothing is said about the c between the two. *)
From Coq Require Import Reals Lra Lia List.
From Valleys Require Import Process Sgd LongRunMean.
From Valleys Require LongRun.
Import ListNotations.
Open Scope R_scope.

Ltac each_child H := simpl in H;
  repeat (destruct H as [H|H]; [injection H; clear H; intros; subst|]); try contradiction; simpl.

(* ---- 1. the noise-free cycle (c - 1, 0, -1) ---- *)
Inductive cycle_node := Up | Zero | Down.
Definition cycle_step (s : cycle_node) : list (R * cycle_node) :=
  match s with Up => [(1, Zero)] | Zero => [(1, Down)] | Down => [(1, Up)] end.
Definition cycle_pos (c : R) (s : cycle_node) : R := match s with Up => c - 1 | Zero => 0 | Down => -1 end.
Definition cycle_slope (c : R) (s : cycle_node) : R := match s with Up => c - 1 | Zero => 1 | Down => - c end.
Definition cycle_mean (c : R) : R := (c - 2) / 3.

Lemma cycle_is_sgd c b nu : 1 < c < 2 -> 0 < b <= c - 1 -> 0 <= nu ->
  sgd cycle_node cycle_step (cycle_pos c) (cycle_slope c) 1 1 b c c nu.
Proof.
  intros Hc Hb Hnu. split; try lra.
  - intros s q s' Hin. destruct s; each_child Hin; lra.
  - intros s; destruct s; unfold wtot; simpl; lra.
  - intros s q s' Hin. destruct s; each_child Hin; apply Rabs_le; lra.
  - intros s; destruct s; simpl; lra.
  - intros s; destruct s; simpl; lra.
  - intros s; destruct s; simpl; lra. Qed.

(* For every c in (1, 2) and b <= c - 1 the cycle (c - 1, 0, -1) is an SGD process, and its long-run mean is the
   negative number (c - 2)/3. *)
Theorem long_run_sharp c b nu : 1 < c < 2 -> 0 < b <= c - 1 -> 0 <= nu ->
  sgd cycle_node cycle_step (cycle_pos c) (cycle_slope c) 1 1 b c c nu /\
  long_run_mean cycle_step (cycle_pos c) (cycle_mean c) /\ cycle_mean c < 0.
Proof.
  intros Hc Hb Hnu. pose proof (cycle_is_sgd c b nu Hc Hb Hnu) as H. split; [exact H|].
  unfold cycle_mean. split; [|lra]. destruct H as [h1 h2 _ _ _ _ _ _ _ _ _].
  apply long_run_mean_of_potential with
    (h := fun s => match s with Up => 0 | Zero => (c - 2) / 3 - (c - 1) | Down => -1 - (c - 2) / 3 end)
    (H := 3); auto.
  - intros s; destruct s; simpl; lra.
  - intros s; destruct s; apply Rabs_le; lra. Qed.

(* ---- 2. the noisy cycle ---- *)
Inductive noisy_node := A | B | Y | N.
Section Noisy.
Variables alpha nu c : R.
Definition noisy_theta : R := alpha + nu.
Definition noisy_z : R := c - noisy_theta - 1.     (* how far the step from Y must go beyond A, in the mean *)
Definition noisy_step (s : noisy_node) : list (R * noisy_node) := match s with
  | A => [(nu / noisy_theta, A); (alpha / noisy_theta, B)]
  | B => [(1, Y)]
  | Y => [(1 - noisy_z / alpha, A); (noisy_z / alpha, N)]
  | N => [(1, A)] end.
Definition noisy_pos (s : noisy_node) : R :=
  match s with A => 0 | B => - noisy_theta | Y => c - noisy_theta | N => alpha end.
Definition noisy_slope (s : noisy_node) : R := match s with A => alpha | B => - c | Y => 1 | N => alpha end.
(* sum over a cycle, 2 c - 3 theta - 1, over its expected length, theta / alpha + 2 + z / alpha *)
Definition noisy_mean : R := (2 * c - 3 * noisy_theta - 1) / (noisy_theta / alpha + 2 + noisy_z / alpha).

Hypotheses (Ha : 0 < alpha <= 1) (Hnu : alpha <= nu) (Hz : 0 <= noisy_z <= alpha).

Lemma noisy_is_sgd b : 0 < b <= alpha -> sgd noisy_node noisy_step noisy_pos noisy_slope 1 1 b c c nu.
Proof.
  intros Hb. assert (Ht : 0 < noisy_theta) by (unfold noisy_theta; lra).
  assert (Hq : 0 <= noisy_z / alpha <= 1).
  { split; [apply Rmult_le_pos; [lra|left; apply Rinv_0_lt_compat; lra]|].
    apply Rmult_le_reg_r with alpha; [lra|]. unfold Rdiv. rewrite Rmult_assoc, Rinv_l by lra. lra. }
  assert (Hz' := Hz). unfold noisy_z in Hz'.
  split; try lra.
  - intros s q s' Hin. destruct s; each_child Hin; try lra;
      apply Rmult_le_pos; try lra; left; apply Rinv_0_lt_compat; lra.
  - intros s; destruct s; unfold wtot; simpl; try lra. unfold noisy_theta in *. field; lra.
  - intros s q s' Hin. unfold noisy_theta in *. destruct s; each_child Hin; unfold noisy_theta; apply Rabs_le; lra.
  - intros s; destruct s; simpl; try lra.
    + unfold noisy_theta in *. field; lra.
    + unfold noisy_z. field; lra.
  - intros s; destruct s; simpl; unfold noisy_theta in *; lra.
  - intros s; destruct s; simpl; unfold noisy_theta in *; lra. Qed.

(* The noisy cycle's long-run mean is exactly its sum over a cycle divided by the cycle's expected length. *)
Lemma noisy_long_run_mean : long_run_mean noisy_step noisy_pos noisy_mean.
Proof.
  destruct (noisy_is_sgd alpha) as [h1 h2 _ _ _ _ _ _ _ _ _]; [lra|].
  assert (Ht : 0 < noisy_theta) by (unfold noisy_theta; lra).
  assert (HD : 0 < noisy_theta + 2 * alpha + noisy_z) by lra.
  assert (Hm : noisy_mean = alpha * (2 * c - 3 * noisy_theta - 1) / (noisy_theta + 2 * alpha + noisy_z)).
  { unfold noisy_mean. field. lra. }
  set (m := noisy_mean) in *.
  set (h := fun s => match s with
    | A => 0 | B => m * noisy_theta / alpha | N => alpha - m | Y => m * noisy_theta / alpha + noisy_theta + m end).
  apply long_run_mean_of_potential with (h := h)
    (H := Rmax (Rabs (h A)) (Rmax (Rabs (h B)) (Rmax (Rabs (h Y)) (Rabs (h N))))); auto.
  - assert (HB : m * (noisy_theta + 2 * alpha + noisy_z) = alpha * (2 * c - 3 * noisy_theta - 1))
      by (rewrite Hm; field; lra).
    intros s; destruct s; simpl; try (field; lra).
    apply Rmult_eq_reg_r with alpha; [|lra].
    transitivity (m * noisy_theta + noisy_theta * alpha + m * alpha); [field; lra|].
    transitivity ((c - noisy_theta - m) * alpha + noisy_z * (alpha - m)); [|field; lra].
    assert (Ez : noisy_z = c - noisy_theta - 1) by reflexivity. nra.
  - intros s. destruct s; [apply Rmax_l|eapply Rle_trans; [|apply Rmax_r]; apply Rmax_l| |];
      (eapply Rle_trans; [|apply Rmax_r]; eapply Rle_trans; [|apply Rmax_r]); [apply Rmax_l|apply Rmax_r]. Qed.

Lemma noisy_mean_neg : 2 * c < 3 * noisy_theta + 1 -> noisy_mean < 0.
Proof.
  intros H. unfold noisy_mean. assert (Ht : 0 < noisy_theta) by (unfold noisy_theta; lra).
  assert (Hi : 0 < / alpha) by (apply Rinv_0_lt_compat; lra).
  assert (HD : 0 < noisy_theta / alpha + 2 + noisy_z / alpha) by (unfold Rdiv; nra).
  apply Ropp_lt_cancel. rewrite Ropp_0. unfold Rdiv. rewrite Ropp_mult_distr_l.
  apply Rmult_lt_0_compat; [lra|]. apply Rinv_0_lt_compat; exact HD. Qed.
End Noisy.

(* For 1/2 < nu <= 1, b <= nu and 1 + 2 nu < c < 3 nu + 1/2 the noisy cycle is an SGD process whose long-run mean is
   the negative number (2 c - 6 nu - 1) / (4 + (c - 2 nu - 1)/nu). *)
Theorem long_run_sharp_noisy nu b c : 1 / 2 < nu <= 1 -> 0 < b <= nu -> 1 + 2 * nu < c < 3 * nu + 1 / 2 ->
  sgd noisy_node (noisy_step nu nu c) (noisy_pos nu nu c) (noisy_slope nu c) 1 1 b c c nu /\
  long_run_mean (noisy_step nu nu c) (noisy_pos nu nu c) ((2 * c - 6 * nu - 1) / (4 + (c - 2 * nu - 1) / nu)) /\
  (2 * c - 6 * nu - 1) / (4 + (c - 2 * nu - 1) / nu) < 0.
Proof.
  intros Hn Hb Hc.
  assert (E : noisy_mean nu nu c = (2 * c - 6 * nu - 1) / (4 + (c - 2 * nu - 1) / nu)).
  { unfold noisy_mean, noisy_z, noisy_theta. field. lra. }
  assert (Hz : 0 <= noisy_z nu nu c <= nu) by (unfold noisy_z, noisy_theta; lra).
  rewrite <- E. split; [apply noisy_is_sgd; lra|]. split; [apply noisy_long_run_mean; lra|].
  apply noisy_mean_neg; unfold noisy_theta; lra. Qed.

(* ---- the threshold is exact ---- *)
(* Refuted below the threshold: for 0 <= nu <= 2 and 0 < b < 1 (and b <= nu if nu > 1/2), for EVERY c below the
   threshold of (L) there are an SGD process (with some steepest slope B) and a negative m, its long-run mean. *)
Theorem long_run_threshold_exact nu b c : 0 <= nu <= 2 -> 0 < b < 1 -> (1 / 2 < nu -> b <= nu) ->
  c < LongRun.long_run_threshold nu ->
  exists (S : Type) (step : S -> list (R * S)) (pos g : S -> R) (B m : R),
    sgd S step pos g 1 1 b B c nu /\ long_run_mean step pos m /\ m < 0.
Proof.
  intros Hn Hb Hbn Hc. destruct (LongRun.long_run_threshold_values nu) as [T1 [T2 [T3 _]]].
  destruct (Rle_dec nu (1 / 2)) as [Hs|Hs].
  - rewrite T1 in Hc by auto. set (d := Rmax c (1 + b)).
    assert (Hd : c <= d /\ 1 + b <= d /\ d < 2).
    { unfold d. repeat split; [apply Rmax_l|apply Rmax_r|apply Rmax_lub_lt; lra]. }
    destruct (long_run_sharp d b nu) as [P [Q M]]; try lra.
    exists cycle_node, cycle_step, (cycle_pos d), (cycle_slope d), d, (cycle_mean d).
    split; [|auto]. eapply sgd_weaken; [exact P|lra..].
  - set (al := Rmin 1 nu). set (th := al + nu).
    assert (Hal : 0 < al <= 1 /\ al <= nu /\ b <= al).
    { unfold al. repeat split; [apply Rmin_glb_lt; lra|apply Rmin_l|apply Rmin_r|apply Rmin_glb; lra]. }
    assert (HT : LongRun.long_run_threshold nu = (3 * th + 1) / 2).
    { unfold th, al, Rmin. destruct (Rle_dec 1 nu); [rewrite T3|rewrite T2]; lra. }
    assert (H1 : 1 < th) by (unfold th, al, Rmin; destruct (Rle_dec 1 nu); lra).
    assert (H2 : th - 1 <= 2 * al) by (unfold th, al, Rmin; destruct (Rle_dec 1 nu); lra).
    rewrite HT in Hc. set (d := Rmax c (1 + th)).
    assert (Hd : c <= d /\ 1 + th <= d /\ d < (3 * th + 1) / 2).
    { unfold d. repeat split; [apply Rmax_l|apply Rmax_r|apply Rmax_lub_lt; lra]. }
    assert (Hz : 0 <= noisy_z al nu d <= al) by (unfold noisy_z, noisy_theta; fold th; lra).
    exists noisy_node, (noisy_step al nu d), (noisy_pos al nu d), (noisy_slope al d), d, (noisy_mean al nu d).
    split; [eapply sgd_weaken; [apply (noisy_is_sgd al nu d) with (b := b); lra|lra..]|].
    split; [apply noisy_long_run_mean; lra|]. apply noisy_mean_neg; unfold noisy_theta; try fold th; lra. Qed.

(* For nu > 2, where (L) needs c > 1 + 2 nu: an SGD process with a negative long-run mean for every c <= 3 + nu. *)
Theorem long_run_refuted_for_large_noise nu b c : 2 < nu -> 0 < b <= 1 -> c <= 3 + nu ->
  exists (S : Type) (step : S -> list (R * S)) (pos g : S -> R) (B m : R),
    sgd S step pos g 1 1 b B c nu /\ long_run_mean step pos m /\ m < 0.
Proof.
  intros Hn Hb Hc. set (d := 3 + nu).
  assert (Hz : 0 <= noisy_z 1 nu d <= 1) by (unfold noisy_z, noisy_theta, d; lra).
  exists noisy_node, (noisy_step 1 nu d), (noisy_pos 1 nu d), (noisy_slope 1 d), d, (noisy_mean 1 nu d).
  split; [eapply sgd_weaken; [apply (noisy_is_sgd 1 nu d) with (b := b); lra|unfold d; lra..]|].
  split; [apply noisy_long_run_mean; lra|]. apply noisy_mean_neg; unfold noisy_theta, d in *; lra. Qed.

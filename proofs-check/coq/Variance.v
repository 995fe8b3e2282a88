(* Bounded variance is not enough: (L) is false for every c when E[omega^2 | past] <= nu^2 replaces |omega| <= nu.

   The family (eta = a = 1) has two positions, 0 and -c. At 0 the slope is b, and the noise throws w to -c with the
   small probability b/c and leaves it at 0 otherwise: the mean of w' is -b, so the noise has mean zero, and its
   variance is b (c - b), which is as small as one likes with b. At -c the slope is -c, without noise, and w returns
   to 0. So w is never positive, and the average over all iterations tends to -b c / (b + c) < 0, for every c. *)
From Coq Require Import Reals Lra Lia List.
From Valleys Require Import Process Sgd LongRunMean.
Import ListNotations.
Open Scope R_scope.

(* [sgd] of Sgd.v with the bound on the noise replaced by one on its conditional variance, and nothing else *)
Record sgd_variance (S : Type) (step : S -> list (R * S)) (pos g : S -> R) (eta a b B c nu : R) : Prop := {
  sv_nonneg : forall s q s', In (q, s') (step s) -> 0 <= q;
  sv_one : forall s, wtot (step s) = 1;
  sv_var : forall s, Esum (step s) (fun s' => (pos s - pos s' - eta * g s) ^ 2) <= (eta * nu) ^ 2;
  sv_mean : forall s, Esum (step s) pos = pos s - eta * g s;
  sv_flat : forall s, 0 <= pos s -> b <= g s <= a;
  sv_sharp : forall s, pos s < 0 -> - B <= g s <= - (c * a);
  sv_eta : 0 < eta; sv_b : 0 < b; sv_ba : b <= a; sv_nu : 0 <= nu; sv_cB : c * a <= B }.

(* noise bounded by nu has variance at most nu^2: the new conditions are the weaker ones *)
Lemma sgd_has_variance S step pos g eta a b B c nu :
  sgd S step pos g eta a b B c nu -> sgd_variance S step pos g eta a b B c nu.
Proof.
  intros [h1 h2 h3 h4 h5 h6 h7 h8 h9 h10 h11]. split; auto.
  intros s. eapply Rle_trans; [apply (step_le S step h1) with (g := fun _ => (eta * nu) ^ 2)|].
  - intros q s' Hin. apply pow_maj_Rabs. apply (h3 s q s' Hin).
  - rewrite Esum_const, h2. lra. Qed.

Inductive rare_node := Rest | Thrown.
Section Rare.
Variables b c : R.
Definition rare_step (s : rare_node) : list (R * rare_node) :=
  match s with Rest => [(1 - b / c, Rest); (b / c, Thrown)] | Thrown => [(1, Rest)] end.
Definition rare_pos (s : rare_node) : R := match s with Rest => 0 | Thrown => - c end.
Definition rare_slope (s : rare_node) : R := match s with Rest => b | Thrown => - c end.
Definition rare_variance : R := b * (c - b).
Definition rare_mean : R := - (b * c / (b + c)).

Hypotheses (Hb : 0 < b <= 1) (Hbc : b <= c).

Lemma rare_q : 0 <= b / c <= 1.
Proof.
  split; [apply Rmult_le_pos; [lra|left; apply Rinv_0_lt_compat; lra]|].
  apply Rmult_le_reg_r with c; [lra|]. unfold Rdiv. rewrite Rmult_assoc, Rinv_l by lra. lra. Qed.

Lemma rare_is_sgd_variance nu : 0 <= nu -> rare_variance <= nu ^ 2 ->
  sgd_variance rare_node rare_step rare_pos rare_slope 1 1 b c c nu.
Proof.
  intros Hnu Hv. pose proof rare_q as Hq. unfold rare_variance in Hv. split; try lra.
  - intros s q s' Hin. destruct s; simpl in Hin; repeat (destruct Hin as [Hin|Hin]; [injection Hin; intros; lra|]);
      contradiction.
  - intros s; destruct s; unfold wtot; simpl; lra.
  - intros s; destruct s; cbn [rare_step rare_pos rare_slope Esum].
    + replace ((1 - b / c) * (0 - 0 - 1 * b) ^ 2 + (b / c * (0 - - c - 1 * b) ^ 2 + 0)) with (b * (c - b))
        by (field; lra). rewrite Rmult_1_l. exact Hv.
    + replace (1 * (- c - 0 - 1 * - c) ^ 2 + 0) with 0 by ring. apply pow2_ge_0.
  - intros s; destruct s; simpl; [field; lra|lra].
  - intros s; destruct s; simpl; lra.
  - intros s; destruct s; simpl; lra. Qed.

Lemma rare_long_run_mean : long_run_mean rare_step rare_pos rare_mean.
Proof.
  destruct (rare_is_sgd_variance (c + 1)) as [h1 h2 _ _ _ _ _ _ _ _ _]; [lra|unfold rare_variance; nra|].
  apply long_run_mean_of_potential with
    (h := fun s => match s with Rest => 0 | Thrown => rare_mean * c / b end)
    (H := Rabs (rare_mean * c / b)); auto; unfold rare_mean.
  - intros s; destruct s; simpl; field; lra.
  - intros s; destruct s; [rewrite Rabs_R0; apply Rabs_pos|lra]. Qed.

Lemma rare_mean_neg : rare_mean < 0.
Proof.
  unfold rare_mean. assert (0 < b * c / (b + c)); [|lra].
  apply Rmult_lt_0_compat; [nra|apply Rinv_0_lt_compat; lra]. Qed.
End Rare.

(* With variance at most nu^2 in place of |omega| <= nu, (L) is false whenever b <= c and b (c - b) <= nu^2: this
   process meets all other conditions, is never positive, and its long-run mean is exactly -b c / (b + c). *)
Theorem long_run_fails_with_bounded_variance b c nu : 0 < b <= 1 -> b <= c -> 0 <= nu -> b * (c - b) <= nu ^ 2 ->
  sgd_variance rare_node (rare_step b c) (rare_pos c) (rare_slope b c) 1 1 b c c nu /\
  (forall s, rare_pos c s <= 0) /\
  long_run_mean (rare_step b c) (rare_pos c) (rare_mean b c) /\ rare_mean b c < 0.
Proof.
  intros Hb Hbc Hnu Hv. split; [apply rare_is_sgd_variance; auto|]. split; [intros s; destruct s; simpl; lra|].
  split; [apply rare_long_run_mean; auto|apply rare_mean_neg; auto]. Qed.

(* So (L) needs bounded noise: for every c > 1, however large, and every nu > 0, however small, some b in (0, 1] and
   some process with noise of mean zero and variance at most nu^2 have a negative long-run mean. *)
Theorem long_run_needs_bounded_noise c nu : 1 < c -> 0 < nu ->
  exists b (S : Type) (step : S -> list (R * S)) (pos g : S -> R) (m : R),
    0 < b <= 1 /\ sgd_variance S step pos g 1 1 b c c nu /\ (forall s, pos s <= 0) /\
    long_run_mean step pos m /\ m < 0.
Proof.
  intros Hc Hnu. set (b := Rmin 1 (nu ^ 2 / c)).
  assert (H2 : 0 < nu ^ 2) by (apply pow_lt; lra).
  assert (Hb : 0 < b <= 1 /\ b <= nu ^ 2 / c).
  { unfold b. split; [split; [apply Rmin_glb_lt; [lra|]|apply Rmin_l]|apply Rmin_r].
    apply Rmult_lt_0_compat; [lra|apply Rinv_0_lt_compat; lra]. }
  assert (Hv : b * (c - b) <= nu ^ 2).
  { assert (b * c <= nu ^ 2); [|nra]. destruct Hb as [_ Hb].
    apply Rle_trans with (nu ^ 2 / c * c); [apply Rmult_le_compat_r; lra|right; field; lra]. }
  exists b, rare_node, (rare_step b c), (rare_pos c), (rare_slope b c), (rare_mean b c).
  split; [tauto|]. apply long_run_fails_with_bounded_variance; lra. Qed.

(* In particular the headline of (L), "nu <= a/2 and c > 2", and its condition (c - 1) a >= 2 nu do not help: with nu
   = 1/2, c = 100 and b = 1/400 the long-run mean is -100/40001. *)
Theorem long_run_headline_fails_with_bounded_variance :
  sgd_variance rare_node (rare_step (1 / 400) 100) (rare_pos 100) (rare_slope (1 / 400) 100)
    1 1 (1 / 400) 100 100 (1 / 2)
  /\ long_run_mean (rare_step (1 / 400) 100) (rare_pos 100) (- (100 / 40001)).
Proof.
  replace (- (100 / 40001)) with (rare_mean (1 / 400) 100) by (unfold rare_mean; field).
  destruct (long_run_fails_with_bounded_variance (1 / 400) 100 (1 / 2)) as [H1 [_ [H2 _]]]; [lra..|].
  split; assumption. Qed.

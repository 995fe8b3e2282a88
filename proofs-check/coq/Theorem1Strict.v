(* The corrected Theorem 1 with a strict inequality.

   With Definition 1 as printed (strict bounds on the derivatives) and losses that are continuous along the lines up
   to the window's ends, the gain is strictly above the bound as soon as some step l_i is positive. *)
From Coq Require Import Reals Lra Lia FunctionalExtensionality.
From Valleys Require Import Vectors Probability Asymmetry Theorem1Statement Theorem1.
Open Scope R_scope.

(* Definition 1 and continuity at every foot point that the corrected theorem speaks about *)
Definition strictly_asymmetric (W : world) (V : valley) (l : vec) (Delta : R) : Prop :=
  forall j i v, (j < outcomes W)%nat -> 0 < weight W j -> (i < count V)%nat ->
    norm (dim W) v <= Delta + norm (count V) l ->
    asym (dim W) (inner V) (outer V) (slope V i) (ratio V i) (direction V i) (foot W j (direction V i) v)
      (empirical W j) /\
    line_cont (inner V) (outer V) (direction V i) (foot W j (direction V i) v) (empirical W j).

(* Corrected Theorem 1, strict, for any probabilities q_i of a shift to the flat side. *)
Theorem theorem1_unbalanced_strict W V l q Delta xi kappa :
  corrected_hyps W V l q Delta xi kappa -> strictly_asymmetric W V l Delta ->
  (exists i, (i < count V)%nat /\ 0 < l i) -> unbalanced_bound V l q xi < gain W V l.
Proof.
  intros H HS (m & Hm & Pm). rewrite <- (expected_gain _ _ _ _ _ _ _ H), gain_expect.
  destruct H as [P O Hl Hd _ Hw Hg Ha]. apply EE_lt; auto. intros j Hj Pj.
  eapply Rlt_le_trans; [|apply (population_gain W V l Delta j O (Hd j Hj Pj) xi (kappa j)); intros; apply Hg; auto].
  apply Rplus_lt_compat_r. rewrite <- telescope. apply (rsum_lt _ _ _ m Hm).
  - intros i Hi. apply addition_gain; auto.
    + apply Hw; auto.
    + apply Ha; auto. apply base_short; auto; lia.
  - apply addition_gain_strict; auto.
    + apply Hw; auto.
    + destruct (HS j m (vadd (vopp (shift W j)) (vcomb m l (direction V))) Hj Pj Hm) as [A C].
      { apply base_short; auto; lia. }
      eapply definition1_integrated_strict; eauto.
Qed.

(* Corrected Theorem 1, strict: E L(w-hat) - E L(w-hat + sum l_i u^i) > sum (c_i - 1) l_i p_i / 2 - 2 xi. *)
Theorem theorem1_corrected_strict W V l Delta xi kappa :
  corrected_hyps W V l (fun _ => 1/2) Delta xi kappa -> strictly_asymmetric W V l Delta ->
  (exists i, (i < count V)%nat /\ 0 < l i) -> corrected_bound V l xi < gain W V l.
Proof. rewrite <- balanced_bound. apply theorem1_unbalanced_strict. Qed.

(* Along axes, with min for max and the radius |l| + |db|, the printed hypotheses give the strict inequality. *)
Theorem theorem1_along_axes_strict limit W V db l xi axis :
  along_axes W V axis -> step_within V axis db l -> printed_hyps limit (fun a b => b + a) W V db l xi ->
  corrected_bound V l xi < gain W V l.
Proof.
  intros H1 H2 H3. destruct (axis_hyps _ _ _ _ _ _ _ H1 H2 H3) as (kappa & H).
  eapply theorem1_corrected_strict; eauto; destruct H3 as [Hk _ _ Hxi Hpc _ _ [_ Ha] Hc Hl].
  - intros j i v Hj _ Hi Hv. auto.
  - exists 0%nat. split; [lia|]. destruct (Hl 0%nat ltac:(lia)) as [A _]. destruct (Hpc 0%nat ltac:(lia)).
    assert (0 <= 4 * xi / ((ratio V 0 - 1) * slope V 0)).
    { apply Rmult_le_pos; [lra|]. left; apply Rinv_0_lt_compat, Rmult_lt_0_compat; lra. } lra.
Qed.

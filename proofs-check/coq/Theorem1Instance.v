(* The hypotheses of Theorem 1 can be met, and its bound says something.

   The printed step condition 4 xi / ((c_i - 1) p_i) < l_i makes the corrected bound positive for any number of
   directions. And here is an explicit world that meets every hypothesis, Assumptions 1 and 2 with Definitions 1 to
   3 included: the loss max(x/2, -3x) with shift 2 or -2 and window (1, 3). *)
From Coq Require Import Reals Lra Lia FunctionalExtensionality.
From Valleys Require Import Vectors Probability Asymmetry Theorem1Statement Theorem1 Theorem1Strict Ridge
  Theorem1Refuted.
Open Scope R_scope.

(* The printed lower limit of the step, 4 xi / ((c_i - 1) p_i) < l_i, makes the printed bound positive, and so the
   corrected one, which is no smaller. *)
Theorem theorem1_bound_positive V l xi : (0 < count V)%nat -> 0 <= xi ->
  (forall i, (i < count V)%nat -> 0 < slope V i /\ 1 < ratio V i) ->
  (forall i, (i < count V)%nat -> 4 * xi / ((ratio V i - 1) * slope V i) < l i) ->
  0 < printed_bound V l xi <= corrected_bound V l xi.
Proof.
  intros Hk Hxi Hpc Hl. split; [|apply corrected_bound_above_printed; auto].
  unfold printed_bound, main_term.
  assert (T : forall i, (i < count V)%nat -> 2 * xi < (ratio V i - 1) * l i * slope V i / 2).
  { intros i Hi. specialize (Hl i Hi). destruct (Hpc i Hi) as [P C].
    assert (Q : 0 < (ratio V i - 1) * slope V i) by (apply Rmult_lt_0_compat; lra).
    apply (Rmult_lt_compat_r ((ratio V i - 1) * slope V i)) in Hl; auto.
    unfold Rdiv in Hl at 1. rewrite Rmult_assoc, Rinv_l, Rmult_1_r in Hl by lra. lra. }
  assert (S : forall n, (n <= count V)%nat ->
    INR n * (2 * xi) <= rsum n (fun i => (ratio V i - 1) * l i * slope V i / 2)).
  { induction n as [|n IH]; intros Hn; [simpl; lra|]. rewrite S_INR. simpl rsum.
    specialize (IH ltac:(lia)). specialize (T n ltac:(lia)). lra. }
  destruct (count V) as [|k]; [lia|]. simpl rsum. rewrite S_INR.
  specialize (S k ltac:(lia)). specialize (T k ltac:(lia)). lra.
Qed.

Definition instance_world (a : nat -> R) : world := ridge 1 2 fair_pair one_axis (plus_minus 2) radius_loss
  radius_loss a.

Lemma instance_losses : ridge_losses radius_loss radius_loss 1 2 1 3.
Proof. destruct radius_losses. split; auto. Qed.

Lemma instance_hyps radius a : printed_hyps Rmin radius (instance_world a) radius_valley (fun _ => 2) (fun _ => 1) 0.
Proof.
  apply ridge_hyps; try lra; try lia; auto using fair_pair_prob, one_axis_unit, instance_losses.
  - intros; lra.
  - apply plus_minus_fair; lra.
  - unfold Rmin; crunch.
Qed.

(* The hypotheses of Theorem 1 with min for max are satisfiable in both readings, for any radius of the gap, at an
   asymmetric valley in the sense of Definition 2. *)
Theorem theorem1_not_vacuous radius :
  exists A B V db l,
    printed_hyps Rmin radius A V db l 0 /\ random_population A /\
    printed_hyps Rmin radius B V db l 0 /\ random_empirical B /\
    (forall j, (j < outcomes A)%nat -> asymmetric_valley (dim A) (inner V) (outer V) 1 2 (solution A j)
      (empirical A j)) /\
    0 < corrected_bound V l 0.
Proof.
  exists (instance_world fixed_empirical), (instance_world (fixed_population 1 one_axis (plus_minus 2))),
    radius_valley,
    (fun _ => 2), (fun _ => 1).
  split; [apply instance_hyps|]. split; [apply ridge_random_population|].
  split; [apply instance_hyps|]. split; [apply ridge_random_empirical|]. split.
  - intros j Hj. exists one_axis.
    destruct (instance_hyps (fun _ b => b) fixed_empirical) as [_ _ _ _ _ _ _ [_ Ha] _ _].
    assert (N0 : norm 1 vzero <= norm 1 (fun _ => 2) + norm 1 (fun _ => 1)).
    { replace (norm 1 vzero) with 0; [pose proof (norm_nonneg 1 (fun _ => 2));
        pose proof (norm_nonneg 1 (fun _ => 1)); lra|].
      unfold norm. replace (dot 1 vzero vzero) with 0 by (unfold dot, vzero; simpl; ring). rewrite sqrt_0; auto. }
    specialize (Ha j Hj 0%nat ltac:(simpl; lia) vzero N0).
    cbn [radius_valley one_direction slope ratio direction] in Ha.
    replace (foot (instance_world fixed_empirical) j one_axis vzero)
      with (solution (instance_world fixed_empirical) j) in Ha;
      auto.
    apply functional_extensionality; intros q. unfold foot, vadd, vsub, vscal, vzero, dot; simpl. ring.
  - destruct (instance_hyps (fun _ b => b) fixed_empirical) as [Hk _ _ Hx Ht _ _ _ _ Hl].
    destruct (theorem1_bound_positive radius_valley (fun _ => 1) 0 (proj1 Hk) Hx Ht); [|lra].
    intros i Hi. destruct (Hl i Hi). auto.
Qed.

Lemma instance_gain a : gain (instance_world a) radius_valley (fun _ => 1) = 5/4.
Proof.
  unfold instance_world, radius_valley. rewrite ridge_gain by apply one_axis_unit.
  unfold line_gain, EE, fair_pair, dot, one_axis, basis, plus_minus, radius_loss, Rmax; simpl; crunch.
Qed.

(* What the corrected theorem says of this world, the step gains more than 1/2, without looking at its loss. *)
Theorem theorem1_instance a : 1/2 < gain (instance_world a) radius_valley (fun _ => 1).
Proof.
  replace (1/2) with (corrected_bound radius_valley (fun _ => 1) 0)
    by (unfold radius_valley; rewrite ridge_corrected_bound; lra).
  apply (theorem1_along_axes_strict Rmin (instance_world a) radius_valley (fun _ => 2) (fun _ => 1) 0
    (fun _ => 0%nat)).
  - repeat split; simpl; intros; auto; lia.
  - intros i Hi. cbn. unfold Rmin; crunch.
  - apply (instance_hyps (fun a b => b + a)).
Qed.

(* Theorem 1 as printed is false, for three reasons and in both readings.

   Each counterexample is a ridge world with gap 0 that meets every printed hypothesis; the first has the printed
   step limit (max), the second only repairs that (min), the third repairs the radius of the gap too. In each the
   right side of the printed inequality is 1/2 and the left side is less than 0. *)
From Coq Require Import Reals Lra Lia FunctionalExtensionality.
From Valleys Require Import Vectors Probability Asymmetry Theorem1Statement Ridge.
Open Scope R_scope.

(* the hypotheses hold and the conclusion fails *)
Definition counterexample (limit radius : R -> R -> R) (W : world) (V : valley) (db l : vec) (xi : R) : Prop :=
  printed_hyps limit radius W V db l xi /\ gain W V l < printed_bound V l xi.

Lemma counterexample_refutes limit radius (reading : world -> Prop) W V db l xi :
  counterexample limit radius W V db l xi -> reading W -> ~ printed_theorem1 limit radius reading.
Proof. intros [H G] HR T. specialize (T W V db l xi H HR). lra. Qed.

Definition one_axis : vec := basis 0.
Definition fair_pair : nat -> R := fun _ => 1/2.
(* the shift is + m or - m *)
Definition plus_minus (m : R) (j : nat) : vec := fun _ => if Nat.eq_dec j 0 then m else - m.

Lemma fair_pair_prob : is_prob 2 fair_pair.
Proof. split; [intros; unfold fair_pair; lra | unfold fair_pair; simpl; lra]. Qed.
Lemma one_axis_unit : dot 1 one_axis one_axis = 1.
Proof. unfold dot, one_axis, basis; simpl; lra. Qed.
Lemma plus_minus_fair m : 0 < m -> forall i, (i < 1)%nat ->
  Peq 2 fair_pair (fun j => plus_minus m j i) m = 1/2 /\ Peq 2 fair_pair (fun j => plus_minus m j i) (- m) = 1/2.
Proof. intros Hm i Hi. unfold Peq, EE, fair_pair, plus_minus; simpl. split; crunch. Qed.

(* ---- the step limit: max instead of min. Window (1, 2), shift 1 or -1, l = 1, p = 1, c = 2 ---- *)
Definition maximum_loss (x : R) : R := Rmax 0 (Rmax ((x - 1) / 2) (-3 * (x + 1))).
Definition maximum_world (a : nat -> R) : world := ridge 1 2 fair_pair one_axis (plus_minus 1) maximum_loss
  maximum_loss a.
Definition maximum_valley : valley := one_direction one_axis 1 2 1 2.

Lemma maximum_losses : ridge_losses maximum_loss maximum_loss 1 2 1 2.
Proof.
  split.
  - unfold maximum_loss, Rmax; crunch.
  - intros x. unfold maximum_loss. apply Rmax_l.
  - unfold maximum_loss, Rmax; crunch.
  - intros x. unfold maximum_loss. apply Rmax_l.
  - unfold maximum_loss. apply cont_Rmax; [apply continuity_const; intros ? ?; auto|]. apply cont_Rmax.
    + apply (cont_affine_eq _ (/2) (- /2)); intros; lra.
    + apply (cont_affine_eq _ (-3) (-3)); intros; lra.
  - exists (fun _ => 1/2), (fun _ => 3). intros t Ht. repeat split; try lra.
    + apply (affine_derivative maximum_loss (1/2) (-1/2) 1 2); auto. intros; unfold maximum_loss, Rmax; crunch.
    + apply (affine_derivative (fun s => maximum_loss (- s)) 3 (-3) 1 2); auto.
      intros; unfold maximum_loss, Rmax; crunch.
Qed.
Lemma maximum_gain a : gain (maximum_world a) maximum_valley (fun _ => 1) = -1/4.
Proof.
  unfold maximum_world, maximum_valley. rewrite ridge_gain by apply one_axis_unit.
  unfold line_gain, EE, fair_pair, dot, one_axis, basis, plus_minus, maximum_loss, Rmax; simpl; crunch.
Qed.
Lemma maximum_bound : printed_bound maximum_valley (fun _ => 1) 0 = 1/2.
Proof. unfold maximum_valley. rewrite ridge_bound. lra. Qed.
Lemma maximum_counterexample radius a :
  counterexample Rmax radius (maximum_world a) maximum_valley (fun _ => 1) (fun _ => 1) 0.
Proof.
  split; [|rewrite maximum_gain, maximum_bound; lra].
  apply ridge_hyps; try lra; try lia; auto using fair_pair_prob, one_axis_unit, maximum_losses.
  - intros; lra.
  - apply plus_minus_fair; lra.
  - unfold Rmax; crunch.
Qed.

(* Theorem 1 with its printed step limit is false, whatever the radius of the shift gap: the gain is -1/4 instead of
   at least 1/2. *)
Theorem theorem1_printed_maximum_false radius :
  ~ printed_theorem1 Rmax radius random_population /\ ~ printed_theorem1 Rmax radius random_empirical.
Proof.
  split; eapply counterexample_refutes; try apply maximum_counterexample.
  - apply ridge_random_population.
  - apply ridge_random_empirical.
Qed.

(* ---- the radius of the gap: |l| does not reach the shift. Window (1, 3), shift 2 or -2, l = 1, p = 1, c = 2 ---- *)
Definition radius_loss (x : R) : R := Rmax (x / 2) (-3 * x).
Definition radius_population (x : R) : R := Rmin (radius_loss x) 3.
Definition radius_world (a : nat -> R) : world :=
  ridge 1 2 fair_pair one_axis (plus_minus 2) radius_loss radius_population a.
Definition radius_valley : valley := one_direction one_axis 1 2 1 3.

Lemma radius_losses : ridge_losses radius_loss radius_population 1 2 1 3.
Proof.
  split.
  - unfold radius_loss, Rmax; crunch.
  - intros x. unfold radius_loss, Rmax; crunch.
  - unfold radius_population, radius_loss, Rmax, Rmin; crunch.
  - intros x. unfold radius_population, radius_loss, Rmax, Rmin; crunch.
  - unfold radius_loss. apply cont_Rmax.
    + apply (cont_affine_eq _ (/2) 0); intros; lra.
    + apply (cont_affine_eq _ (-3) 0); intros; lra.
  - exists (fun _ => 1/2), (fun _ => 3). intros t Ht. repeat split; try lra.
    + apply (affine_derivative radius_loss (1/2) 0 1 3); auto. intros; unfold radius_loss, Rmax; crunch.
    + apply (affine_derivative (fun s => radius_loss (- s)) 3 0 1 3); auto. intros; unfold radius_loss, Rmax; crunch.
Qed.
Lemma radius_gain a : gain (radius_world a) radius_valley (fun _ => 1) = -1/4.
Proof.
  unfold radius_world, radius_valley. rewrite ridge_gain by apply one_axis_unit.
  unfold line_gain, EE, fair_pair, dot, one_axis, basis, plus_minus, radius_population, radius_loss, Rmax, Rmin;
    simpl; crunch.
Qed.
Lemma radius_bound : printed_bound radius_valley (fun _ => 1) 0 = 1/2.
Proof. unfold radius_valley. rewrite ridge_bound. lra. Qed.
Lemma radius_counterexample a :
  counterexample Rmin (fun nl _ => nl) (radius_world a) radius_valley (fun _ => 2) (fun _ => 1) 0.
Proof.
  split; [|rewrite radius_gain, radius_bound; lra].
  apply ridge_hyps; try lra; try lia; auto using fair_pair_prob, one_axis_unit, radius_losses.
  - intros; lra.
  - apply plus_minus_fair; lra.
  - intros v Hv. unfold norm in Hv. apply sqrt_le_0 in Hv; try apply dot_self_nonneg.
    unfold dot, one_axis, basis in *; simpl in *.
    assert (-1 <= v 0%nat <= 1) by nra.
    unfold radius_population, radius_loss, Rmax, Rmin; crunch.
  - unfold Rmin; crunch.
Qed.

(* With min for max, Theorem 1 is still false if the shift gap is bounded on the printed radius |l| only: the gain
   is -1/4 instead of at least 1/2. *)
Theorem theorem1_printed_radius_false :
  ~ printed_theorem1 Rmin (fun nl _ => nl) random_population /\
    ~ printed_theorem1 Rmin (fun nl _ => nl) random_empirical.
Proof.
  split; eapply counterexample_refutes; try apply radius_counterexample.
  - apply ridge_random_population.
  - apply ridge_random_empirical.
Qed.

(* ---- directions that are no axes: u = (3/5, 4/5), shift (+-4, +-3), window (1, 6), l = 1, p = 1, c = 2 ---- *)
Definition oblique_loss (x : R) : R := Rmax (-3 * x) (Rmin (100 * x) (100 + (x - 1) / 2)).
Definition oblique_direction : vec := fun i => match i with O => 3/5 | 1%nat => 4/5 | _ => 0 end.
Definition oblique_magnitudes : vec := fun i => match i with O => 4 | _ => 3 end.
Definition oblique_shift (j : nat) : vec := fun i => match i with
  | O => match j with O => 4 | 1%nat => 4 | _ => -4 end
  | _ => match j with O => 3 | 1%nat => -3 | 2%nat => 3 | _ => -3 end end.
Definition oblique_world (a : nat -> R) : world :=
  ridge 2 4 (fun _ => 1/4) oblique_direction oblique_shift oblique_loss oblique_loss a.
Definition oblique_valley : valley := one_direction oblique_direction 1 2 1 6.

Lemma oblique_losses : ridge_losses oblique_loss oblique_loss 1 2 1 6.
Proof.
  assert (E : oblique_loss 0 = 0) by (unfold oblique_loss, Rmax, Rmin; crunch).
  assert (P : forall x, 0 <= oblique_loss x) by (intros; unfold oblique_loss, Rmax, Rmin; crunch).
  split; auto.
  - unfold oblique_loss. apply cont_Rmax; [|apply cont_Rmin].
    + apply (cont_affine_eq _ (-3) 0); intros; lra.
    + apply (cont_affine_eq _ 100 0); intros; lra.
    + apply (cont_affine_eq _ (/2) (199/2)); intros; lra.
  - exists (fun _ => 1/2), (fun _ => 3). intros t Ht. repeat split; try lra.
    + apply (affine_derivative oblique_loss (1/2) (199/2) 1 6); auto. intros; unfold oblique_loss, Rmax, Rmin; crunch.
    + apply (affine_derivative (fun s => oblique_loss (- s)) 3 0 1 6); auto.
      intros; unfold oblique_loss, Rmax, Rmin; crunch.
Qed.
Lemma oblique_unit : dot 2 oblique_direction oblique_direction = 1.
Proof. unfold dot, oblique_direction; simpl; lra. Qed.
Lemma oblique_gain a : gain (oblique_world a) oblique_valley (fun _ => 1) = -395/8.
Proof.
  unfold oblique_world, oblique_valley. rewrite ridge_gain by apply oblique_unit.
  unfold line_gain, EE, dot, oblique_direction, oblique_shift, oblique_loss, Rmax, Rmin; simpl; crunch.
Qed.
Lemma oblique_bound : printed_bound oblique_valley (fun _ => 1) 0 = 1/2.
Proof. unfold oblique_valley. rewrite ridge_bound. lra. Qed.
Lemma oblique_counterexample radius a :
  counterexample Rmin radius (oblique_world a) oblique_valley oblique_magnitudes (fun _ => 1) 0.
Proof.
  split; [|rewrite oblique_gain, oblique_bound; lra].
  apply ridge_hyps; try lra; try lia; auto using oblique_unit, oblique_losses.
  - split; [intros; lra | simpl; lra].
  - intros i Hi. unfold oblique_magnitudes. destruct i; lra.
  - intros i Hi. destruct i as [|[|i]]; [| |lia]; unfold Peq, EE, oblique_shift, oblique_magnitudes; simpl; split;
      crunch.
  - unfold Rmin, oblique_magnitudes; crunch.
Qed.

(* With min for max and the gap bounded on as large a ball as you like, Theorem 1 is still false, because Assumption
   1 speaks of coordinates and the directions need not be axes: the gain is -395/8 = -49.375 instead of at least
   1/2. *)
Theorem theorem1_printed_oblique_false radius :
  ~ printed_theorem1 Rmin radius random_population /\ ~ printed_theorem1 Rmin radius random_empirical.
Proof.
  split; eapply counterexample_refutes; try apply oblique_counterexample.
  - apply ridge_random_population.
  - apply ridge_random_empirical.
Qed.

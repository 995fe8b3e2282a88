(* The constants and counterexamples of Theorem 1 as rational numbers that Coq computes.

   [table] lists rational numbers, [constants] the real numbers that the theorems speak of under the same names, and
   [table1_is_true] says that they are equal. Other programs compare their numbers with this table. Lists of p, c,
   l, q stand for the slopes, ratios, steps and probabilities of directions 1, 2, ... *)
From Coq Require Import Reals Lra Lia QArith Qreals Qminmax List String FunctionalExtensionality.
From Valleys Require Import Vectors Probability Asymmetry Theorem1Statement Theorem1 Ridge Theorem1Refuted.
From Valleys Require Import Theorem1Limit Theorem1Extremal Theorem1Instance.
Import ListNotations.
Open Scope R_scope.

(* ---- rational arithmetic and the reals ---- *)
Lemma Q2R_red x : Q2R (Qred x) = Q2R x.
Proof. apply Qeq_eqR, Qred_correct. Qed.
Lemma Q2R_fraction n d : Q2R (n # d) = IZR n / IZR (Zpos d).
Proof. reflexivity. Qed.
(* closes a goal Q2R x = r, where x computes to a fraction and r is a number *)
Ltac rational x := let y := eval vm_compute in x in change x with y; rewrite Q2R_fraction; lra.

Fixpoint qsum (n : nat) (f : nat -> Q) : Q := match n with O => 0%Q | S m => (qsum m f + f m)%Q end.
Lemma Q2R_qsum n f : Q2R (qsum n f) = rsum n (fun i => Q2R (f i)).
Proof. induction n as [|n IH]; simpl; [unfold Q2R; simpl; lra | rewrite Q2R_plus, IH; reflexivity]. Qed.

(* ---- the counterexamples: expected difference of H before and after the step, for shifts s with weights ---- *)
Definition gain_q (weighted_shifts : list (Q * Q)) (H : Q -> Q) (l : Q) : Q :=
  Qred (fold_right (fun ws sum => fst ws * (H (- snd ws) - H (l - snd ws)) + sum)%Q 0%Q weighted_shifts).
Definition bound_q (p c l : Q) : Q := Qred ((c - 1) * l * p * (1 # 2))%Q.
Definition fair_q (m : Q) : list (Q * Q) := [((1 # 2)%Q, m); ((1 # 2)%Q, (- m)%Q)].

Definition maximum_loss_q (x : Q) : Q := Qmax 0 (Qmax ((x - 1) * (1 # 2)) (-3 * (x + 1)))%Q.
Definition maximum_left : Q := gain_q (fair_q 1) maximum_loss_q 1.
Definition maximum_right : Q := bound_q 1 2 1.
Lemma maximum_left_real a : Q2R maximum_left = gain (maximum_world a) maximum_valley (fun _ => 1).
Proof. rewrite maximum_gain. rational maximum_left. Qed.
Lemma maximum_right_real : Q2R maximum_right = printed_bound maximum_valley (fun _ => 1) 0.
Proof. rewrite maximum_bound. rational maximum_right. Qed.

Definition radius_loss_q (x : Q) : Q := Qmax (x * (1 # 2)) (-3 * x)%Q.
Definition radius_population_q (x : Q) : Q := Qmin (radius_loss_q x) 3.
Definition radius_left : Q := gain_q (fair_q 2) radius_population_q 1.
Definition radius_right : Q := bound_q 1 2 1.
Lemma radius_left_real a : Q2R radius_left = gain (radius_world a) radius_valley (fun _ => 1).
Proof. rewrite radius_gain. rational radius_left. Qed.
Lemma radius_right_real : Q2R radius_right = printed_bound radius_valley (fun _ => 1) 0.
Proof. rewrite radius_bound. rational radius_right. Qed.

Definition oblique_loss_q (x : Q) : Q := Qmax (-3 * x) (Qmin (100 * x) (100 + (x - 1) * (1 # 2)))%Q.
Definition oblique_projection_q (x y : Q) : Q * Q := ((1 # 4)%Q, ((3 # 5) * x + (4 # 5) * y)%Q).
Definition oblique_left : Q :=
  gain_q [oblique_projection_q 4 3; oblique_projection_q 4 (-3); oblique_projection_q (-4) 3;
    oblique_projection_q (-4) (-3)]
    oblique_loss_q 1.
Definition oblique_right : Q := bound_q 1 2 1.
Lemma oblique_left_real a : Q2R oblique_left = gain (oblique_world a) oblique_valley (fun _ => 1).
Proof. rewrite oblique_gain. rational oblique_left. Qed.
Lemma oblique_right_real : Q2R oblique_right = printed_bound oblique_valley (fun _ => 1) 0.
Proof. rewrite oblique_bound. rational oblique_right. Qed.

(* the world that meets every hypothesis: what the step really gains *)
Definition instance_left : Q := gain_q (fair_q 2) radius_loss_q 1.
Lemma instance_left_real a : Q2R instance_left = gain (instance_world a) radius_valley (fun _ => 1).
Proof.
  rewrite instance_gain. rational instance_left.
Qed.
Definition instance_right : Q := bound_q 1 2 1.
Lemma instance_right_real : Q2R instance_right = corrected_bound radius_valley (fun _ => 1) 0.
Proof. unfold radius_valley. rewrite ridge_corrected_bound. rational instance_right. Qed.

(* a step of 3/2 where the limit is 1 *)
Definition early_loss_q (rlo db p c l x : Q) : Q :=
  let excess := ((l - (db - rlo)) / (2 * (l + (db - rlo))))%Q in
  Qmax 0 (Qmax (p * (1 - excess) * (x - rlo)) (- (c * p * (1 + excess) * (x + rlo))))%Q.
Definition limit_left : Q := gain_q (fair_q 2) (early_loss_q 1 2 1 2 (3 # 2)) (3 # 2).
Definition limit_right : Q := bound_q 1 2 (3 # 2).
Lemma limit_left_real a :
  Q2R limit_left = gain (limit_world 2 (early_loss 1 2 1 2 (3/2)) a) (limit_valley 1 3 1 2) (fun _ => 3/2).
Proof. rewrite limit_sample. rational limit_left. Qed.
Lemma limit_right_real : Q2R limit_right = printed_bound (limit_valley 1 3 1 2) (fun _ => 3/2) 0.
Proof. unfold limit_valley. rewrite ridge_bound. rational limit_right. Qed.

(* ---- the parameters of the counterexamples: with these rational numbers they are counterexamples ---- *)
Record parameters := { q_inner : Q; q_outer : Q; q_shift : list Q; q_step : Q; q_slope : Q; q_ratio : Q }.
Definition valley_q (u : vec) (a : parameters) : valley :=
  one_direction u (Q2R (q_slope a)) (Q2R (q_ratio a)) (Q2R (q_inner a)) (Q2R (q_outer a)).
(* the magnitudes of the shift; beyond the dimension they do not matter *)
Definition magnitudes_q (a : parameters) : vec := fun i => Q2R (nth i (q_shift a) (last (q_shift a) 0%Q)).
Definition step_q (a : parameters) : vec := fun _ => Q2R (q_step a).

Definition maximum_q := {| q_inner := 1; q_outer := 2; q_shift := [1%Q]; q_step := 1; q_slope := 1; q_ratio := 2 |}.
Definition radius_q := {| q_inner := 1; q_outer := 3; q_shift := [2%Q]; q_step := 1; q_slope := 1; q_ratio := 2 |}.
Definition oblique_q := {| q_inner := 1; q_outer := 6; q_shift := [4%Q; 3%Q]; q_step := 1; q_slope := 1;
  q_ratio := 2 |}.

Lemma Q2R_integer z : Q2R (z # 1) = IZR z.
Proof. unfold Q2R; simpl. field. Qed.
Ltac parameters_real :=
  unfold valley_q, magnitudes_q, step_q; cbn [q_inner q_outer q_shift q_step q_slope q_ratio maximum_q radius_q
    oblique_q];
  rewrite ?Q2R_integer.
Lemma maximum_parameters_real radius a :
  counterexample Rmax radius (maximum_world a) (valley_q one_axis maximum_q) (magnitudes_q maximum_q)
    (step_q maximum_q) 0.
Proof.
  parameters_real. replace (fun i => Q2R (nth i [1%Q] (last [1%Q] 0%Q))) with (fun _ : nat => 1).
  - apply maximum_counterexample.
  - apply functional_extensionality. intros [|[|i]]; simpl; rewrite Q2R_integer; auto.
Qed.
Lemma radius_parameters_real a :
  counterexample Rmin (fun nl _ => nl) (radius_world a) (valley_q one_axis radius_q) (magnitudes_q radius_q)
    (step_q radius_q) 0.
Proof.
  parameters_real. replace (fun i => Q2R (nth i [2%Q] (last [2%Q] 0%Q))) with (fun _ : nat => 2).
  - apply radius_counterexample.
  - apply functional_extensionality. intros [|[|i]]; simpl; rewrite Q2R_integer; auto.
Qed.
Lemma oblique_parameters_real radius a :
  counterexample Rmin radius (oblique_world a) (valley_q oblique_direction oblique_q) (magnitudes_q oblique_q)
    (step_q oblique_q) 0.
Proof.
  parameters_real. replace (fun i => Q2R (nth i [4%Q; 3%Q] (last [4%Q; 3%Q] 0%Q))) with oblique_magnitudes.
  - apply oblique_counterexample.
  - apply functional_extensionality. intros [|[|[|i]]]; simpl; rewrite Q2R_integer; auto.
Qed.
Definition parameter_entries (name : string) (a : parameters) : list (string * Q) :=
  [(name ++ ".inner", q_inner a); (name ++ ".outer", q_outer a); (name ++ ".step", q_step a);
   (name ++ ".slope", q_slope a); (name ++ ".ratio", q_ratio a)]%string.

(* ---- the corrected bounds at sample terms ---- *)
Definition at_q (x : list Q) : vec := fun i => Q2R (nth i x 0%Q).
Definition terms_q (p c : list Q) (directions : nat -> vec) (rlo rhi : R) : valley :=
  Valley (List.length p) directions (at_q p) (at_q c) rlo rhi.
Definition corrected_q (p c l : list Q) (xi : Q) : Q :=
  Qred (qsum (List.length p) (fun i => (nth i c 0 - 1) * nth i l 0 * nth i p 0 * (1 # 2)) - 2 * xi)%Q.
Definition unbalanced_q (p c l q : list Q) (xi : Q) : Q :=
  Qred (qsum (List.length p) (fun i => nth i l 0 * nth i p 0 * ((nth i c 0 + 1) * nth i q 0 - 1)) - 2 * xi)%Q.
Definition extremal_q (p c l : list Q) (xi eps : Q) : Q :=
  Qred (corrected_q p c l xi + qsum (List.length p) (fun i =>
    eps * ((nth i c 0 + 1) * nth i p 0 * nth i l 0 * (1 # 2))))%Q.

Ltac to_reals :=
  repeat (rewrite Q2R_plus || rewrite Q2R_minus || rewrite Q2R_mult || rewrite Q2R_qsum || rewrite Q2R_integer ||
    rewrite Q2R_fraction).
Lemma corrected_q_real p c l xi directions rlo rhi :
  Q2R (corrected_q p c l xi) = corrected_bound (terms_q p c directions rlo rhi) (at_q l) (Q2R xi).
Proof.
  unfold corrected_q, corrected_bound, main_term. rewrite Q2R_red. cbn [count ratio slope terms_q].
  to_reals. f_equal. apply rsum_ext. intros i Hi. unfold at_q. to_reals. lra.
Qed.
Lemma unbalanced_q_real p c l q xi directions rlo rhi :
  Q2R (unbalanced_q p c l q xi) = unbalanced_bound (terms_q p c directions rlo rhi) (at_q l) (at_q q) (Q2R xi).
Proof.
  unfold unbalanced_q, unbalanced_bound. rewrite Q2R_red. cbn [count ratio slope terms_q].
  to_reals. f_equal. apply rsum_ext. intros i Hi. unfold at_q. to_reals. ring.
Qed.

(* the gain of the extremal world, for all rational terms that the theorem admits *)
Lemma extremal_q_real p c l db rlo rhi xi eps a : (0 < List.length p)%nat -> 0 < rlo < rhi -> 0 <= Q2R xi ->
  0 < Q2R eps < 1 ->
  (forall i, (i < List.length p)%nat -> 0 < at_q p i /\ 1 < at_q c i) ->
  (forall i, (i < List.length p)%nat ->
     4 * Q2R xi / ((at_q c i - 1) * at_q p i) < at_q l i <= Rmin (rhi - db i) (db i - rlo)) ->
  Q2R (extremal_q p c l xi eps) =
  gain (ext_world (List.length p) (at_q p) (at_q c) (at_q l) db rlo (Q2R xi) (Q2R eps) a) (terms_q p c basis rlo rhi)
    (at_q l).
Proof.
  intros Hk Hr Hx He Ht Hs. unfold terms_q.
  change (Valley (List.length p) basis (at_q p) (at_q c) rlo rhi)
    with (ext_valley (List.length p) (at_q p) (at_q c) rlo rhi).
  rewrite (ext_gain (List.length p) (at_q p) (at_q c) (at_q l) db rlo rhi); auto. unfold extremal_q.
  rewrite Q2R_red, Q2R_plus.
  rewrite (corrected_q_real p c l xi basis rlo rhi). f_equal. rewrite Q2R_qsum. apply rsum_ext. intros i Hi.
  unfold at_q. to_reals. lra.
Qed.

Open Scope Q_scope.
Definition slopes : list Q := [1#2; 2]. Definition ratios : list Q := [3; 5#2].
Definition steps_q : list Q := [1; 1#3].
Definition sample_corrected : Q := corrected_q slopes ratios steps_q (1#10).
Definition sample_unbalanced : Q := unbalanced_q slopes ratios steps_q [3#4; 1#5] (1#10).
Definition sample_extremal : Q := extremal_q slopes ratios steps_q (1#10) (1#100).
Open Scope R_scope.

(* window (1/2, 7/2), shifts 2 and -2 *)
Lemma sample_extremal_real a : Q2R sample_extremal =
  gain (ext_world 2 (at_q slopes) (at_q ratios) (at_q steps_q) (fun _ => 2) (1/2) (Q2R (1#10)) (Q2R (1#100)) a)
    (terms_q slopes ratios basis (1/2) (7/2)) (at_q steps_q).
Proof.
  apply (extremal_q_real slopes ratios steps_q (fun _ => 2) (1/2) (7/2) (1#10) (1#100) a);
    try (unfold Q2R; simpl; lra); try (simpl; lia).
  - intros [|[|i]] Hi; [| |simpl in Hi; lia]; unfold at_q, slopes, ratios, Q2R; simpl; lra.
  - intros [|[|i]] Hi; [| |simpl in Hi; lia]; unfold at_q, slopes, ratios, steps_q; simpl nth; to_reals; split;
      unfold Rmin; crunch.
Qed.

Open Scope string_scope.
Open Scope list_scope.
Definition table : list (string * Q) :=
  [("theorem1.maximum.left", maximum_left); ("theorem1.maximum.right", maximum_right)] ++
  parameter_entries "theorem1.maximum" maximum_q ++
  [("theorem1.maximum.shift", nth 0 (q_shift maximum_q) 0%Q);
   ("theorem1.radius.left", radius_left); ("theorem1.radius.right", radius_right)] ++
  parameter_entries "theorem1.radius" radius_q ++
  [("theorem1.radius.shift", nth 0 (q_shift radius_q) 0%Q);
   ("theorem1.oblique.left", oblique_left); ("theorem1.oblique.right", oblique_right)] ++
  parameter_entries "theorem1.oblique" oblique_q ++
  [("theorem1.oblique.shift.1", nth 0 (q_shift oblique_q) 0%Q);
   ("theorem1.oblique.shift.2", nth 1 (q_shift oblique_q) 0%Q);
   ("theorem1.oblique.direction.1", (3 # 5)%Q); ("theorem1.oblique.direction.2", (4 # 5)%Q);
   ("theorem1.instance.left", instance_left); ("theorem1.instance.right", instance_right);
   ("theorem1.step-limit.left", limit_left); ("theorem1.step-limit.right", limit_right);
   ("theorem1.corrected.p=1/2,2.c=3,5/2.l=1,1/3.xi=1/10", sample_corrected);
   ("theorem1.unbalanced.p=1/2,2.c=3,5/2.l=1,1/3.q=3/4,1/5.xi=1/10", sample_unbalanced);
   ("theorem1.extremal.p=1/2,2.c=3,5/2.l=1,1/3.xi=1/10.eps=1/100", sample_extremal)].

(* The same as real numbers. Gains are those of the reading with a fixed empirical loss; the lemmas above say that
   the other reading has the same. *)
Definition valley_entries (name : string) (V : valley) (step : R) : list (string * R) :=
  [((name ++ ".inner")%string, inner V); ((name ++ ".outer")%string, outer V); ((name ++ ".step")%string, step);
   ((name ++ ".slope")%string, slope V 0%nat); ((name ++ ".ratio")%string, ratio V 0%nat)].
Definition constants : list (string * R) :=
  let unit_step : vec := fun _ => 1 in
  [("theorem1.maximum.left", gain (maximum_world fixed_empirical) maximum_valley unit_step);
   ("theorem1.maximum.right", printed_bound maximum_valley unit_step 0)] ++
  valley_entries "theorem1.maximum" maximum_valley 1 ++
  [("theorem1.maximum.shift", shift (maximum_world fixed_empirical) 0%nat 0%nat);
   ("theorem1.radius.left", gain (radius_world fixed_empirical) radius_valley unit_step);
   ("theorem1.radius.right", printed_bound radius_valley unit_step 0)] ++
  valley_entries "theorem1.radius" radius_valley 1 ++
  [("theorem1.radius.shift", shift (radius_world fixed_empirical) 0%nat 0%nat);
   ("theorem1.oblique.left", gain (oblique_world fixed_empirical) oblique_valley unit_step);
   ("theorem1.oblique.right", printed_bound oblique_valley unit_step 0)] ++
  valley_entries "theorem1.oblique" oblique_valley 1 ++
  [("theorem1.oblique.shift.1", oblique_magnitudes 0%nat); ("theorem1.oblique.shift.2", oblique_magnitudes 1%nat);
   ("theorem1.oblique.direction.1", oblique_direction 0%nat);
     ("theorem1.oblique.direction.2", oblique_direction 1%nat);
   ("theorem1.instance.left", gain (instance_world fixed_empirical) radius_valley unit_step);
   ("theorem1.instance.right", corrected_bound radius_valley unit_step 0);
   ("theorem1.step-limit.left",
    gain (limit_world 2 (early_loss 1 2 1 2 (3/2)) fixed_empirical) (limit_valley 1 3 1 2) (fun _ => 3/2));
   ("theorem1.step-limit.right", printed_bound (limit_valley 1 3 1 2) (fun _ => 3/2) 0);
   ("theorem1.corrected.p=1/2,2.c=3,5/2.l=1,1/3.xi=1/10",
    corrected_bound (terms_q slopes ratios basis (1/2) (7/2)) (at_q steps_q) (Q2R (1#10)));
   ("theorem1.unbalanced.p=1/2,2.c=3,5/2.l=1,1/3.q=3/4,1/5.xi=1/10",
    unbalanced_bound (terms_q slopes ratios basis (1/2) (7/2)) (at_q steps_q) (at_q [3#4; 1#5]%Q) (Q2R (1#10)));
   ("theorem1.extremal.p=1/2,2.c=3,5/2.l=1,1/3.xi=1/10.eps=1/100",
    gain (ext_world 2 (at_q slopes) (at_q ratios) (at_q steps_q) (fun _ => 2) (1/2) (Q2R (1#10)) (Q2R (1#100))
            (fun _ => vzero))
      (terms_q slopes ratios basis (1/2) (7/2)) (at_q steps_q))].

(* Each number of the table is the real number of the same name. *)
Theorem table1_is_true : Forall2 (fun v k => fst v = fst k /\ Q2R (snd v) = snd k) table constants.
Proof.
  unfold table, constants, parameter_entries, valley_entries. cbn [app].
  repeat (constructor; [cbn [fst snd]; split; [reflexivity|] | ]); try apply Forall2_nil.
  all: first
    [ apply maximum_left_real | apply maximum_right_real | apply radius_left_real | apply radius_right_real
    | apply oblique_left_real | apply oblique_right_real | apply instance_left_real | apply instance_right_real
    | apply limit_left_real | apply limit_right_real | apply corrected_q_real | apply unbalanced_q_real
    | apply sample_extremal_real | cbn; unfold Q2R; simpl; lra ].
Qed.

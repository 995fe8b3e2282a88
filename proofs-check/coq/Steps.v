(* What one step of stochastic gradient descent can do.

   The constants that all statements of Theorem 2 are made of:
     [fall]       D = eta (a + nu): the iterate falls by at most D in a step on the flat side;
     [w_min]      eta ((c-1) a - 2 nu): the least height at which a prepared round can start;
     [overshoot]  theta = eta max(a, min(2 nu, a + nu)): given that the floor is crossed, the sharp iterate is on
                  average no further than theta below 0.
   The pathwise facts hold whatever the mean of the noise; they are stated for [sgd_any_mean], which is [sgd] without
   the condition that the noise has conditional mean zero. *)
From Coq Require Import Reals Lra Lia List.
From Valleys Require Import Process Sgd.
Import ListNotations.
Open Scope R_scope.

Definition fall (eta a nu : R) : R := eta * (a + nu).
Definition w_min (eta a c nu : R) : R := eta * ((c - 1) * a - 2 * nu).
Definition overshoot (eta a nu : R) : R := eta * Rmax a (Rmin (2 * nu) (a + nu)).

(* All the hypotheses of [sgd] but one: the noise may have any mean. *)
Record sgd_any_mean (S : Type) (step : S -> list (R * S)) (pos g : S -> R) (eta a b B c nu : R) : Prop := {
  am_nonneg : forall s q s', In (q, s') (step s) -> 0 <= q;
  am_one : forall s, wtot (step s) = 1;
  am_bd : forall s q s', In (q, s') (step s) -> Rabs (pos s - pos s' - eta * g s) <= eta * nu;
  am_flat : forall s, 0 <= pos s -> b <= g s <= a;
  am_sharp : forall s, pos s < 0 -> - B <= g s <= - (c * a);
  am_eta : 0 < eta; am_b : 0 < b; am_ba : b <= a; am_nu : 0 <= nu; am_cB : c * a <= B }.

Lemma sgd_is_any_mean {S step pos g eta a b B c nu} :
  sgd S step pos g eta a b B c nu -> sgd_any_mean S step pos g eta a b B c nu.
Proof. intros []. split; auto. Qed.

Arguments sg_nonneg {S step pos g eta a b B c nu}. Arguments sg_one {S step pos g eta a b B c nu}.
Arguments sg_mean {S step pos g eta a b B c nu}. Arguments sg_eta {S step pos g eta a b B c nu}.
Arguments sg_b {S step pos g eta a b B c nu}. Arguments sg_ba {S step pos g eta a b B c nu}.
Arguments sg_nu {S step pos g eta a b B c nu}. Arguments sg_cB {S step pos g eta a b B c nu}.
Arguments am_nonneg {S step pos g eta a b B c nu}. Arguments am_one {S step pos g eta a b B c nu}.
Arguments am_eta {S step pos g eta a b B c nu}. Arguments am_nu {S step pos g eta a b B c nu}.

(* ---- whatever the mean of the noise ---- *)
Section AnyMean.
Context {S : Type} {step : S -> list (R * S)} {pos g : S -> R} {eta a b B c nu : R}.
Context (H : sgd_any_mean S step pos g eta a b B c nu).
Let D := fall eta a nu.
Let theta := overshoot eta a nu.

Lemma a_pos : 0 < a. Proof. destruct H; lra. Qed.
Lemma eta_a_pos : 0 < eta * a. Proof. pose proof a_pos. destruct H. apply Rmult_lt_0_compat; auto. Qed.
Lemma eta_b_pos : 0 < eta * b. Proof. destruct H. apply Rmult_lt_0_compat; auto. Qed.
Lemma eta_b_le : eta * b <= eta * a. Proof. destruct H. apply Rmult_le_compat_l; lra. Qed.
Lemma eta_nu_nonneg : 0 <= eta * nu. Proof. destruct H. apply Rmult_le_pos; lra. Qed.
Lemma fall_eq : D = eta * a + eta * nu. Proof. unfold D, fall. ring. Qed.
Lemma fall_pos : 0 < D.
Proof. rewrite fall_eq. pose proof eta_a_pos. pose proof eta_nu_nonneg. lra. Qed.

(* theta is eta a, or the smaller of 2 eta nu and D, whichever is larger; and it is at most D. *)
Lemma overshoot_a : eta * a <= theta.
Proof. destruct H. unfold theta, overshoot. apply Rmult_le_compat_l; [lra|apply Rmax_l]. Qed.
Lemma overshoot_nu : 2 * (eta * nu) <= theta \/ D <= theta.
Proof.
  destruct H. unfold theta, overshoot, D, fall.
  pose proof (Rmax_r a (Rmin (2 * nu) (a + nu))) as M. unfold Rmin at 1 in M.
  destruct (Rle_dec (2 * nu) (a + nu)); [left|right].
  - replace (2 * (eta * nu)) with (eta * (2 * nu)) by ring. apply Rmult_le_compat_l; lra.
  - apply Rmult_le_compat_l; lra.
Qed.
Lemma overshoot_fall : theta <= D.
Proof.
  destruct H. unfold theta, overshoot, D, fall. apply Rmult_le_compat_l; [lra|].
  apply Rmax_lub; [lra|]. apply Rmin_r.
Qed.

(* The mean of the children, up to the noise: a fall of eta b to eta a on the flat side, a jump up on the other. *)
Lemma flat_mean s : 0 <= pos s -> pos s - eta * a <= pos s - eta * g s <= pos s - eta * b.
Proof. destruct H as [h1 h2 h3 h4 h5 h6 h7 h8 h9 h10]. intros Hs. apply h4 in Hs. nra. Qed.
Lemma sharp_mean s : pos s < 0 -> pos s + eta * (c * a) <= pos s - eta * g s <= pos s + eta * B.
Proof. destruct H as [h1 h2 h3 h4 h5 h6 h7 h8 h9 h10]. intros Hs. apply h5 in Hs. nra. Qed.
Lemma child_bd s q s' : In (q, s') (step s) ->
  pos s - eta * g s - eta * nu <= pos s' <= pos s - eta * g s + eta * nu.
Proof.
  destruct H as [h1 h2 h3 h4 h5 h6 h7 h8 h9 h10]. intros K. apply h3 in K.
  assert (A := Rle_trans _ _ _ (Rle_abs _) K). rewrite <- Rabs_Ropp in K.
  assert (C := Rle_trans _ _ _ (Rle_abs _) K). lra.
Qed.
Lemma flat_child s q s' : 0 <= pos s -> In (q, s') (step s) -> pos s - D <= pos s'.
Proof. intros Hs Hin. apply child_bd in Hin. apply flat_mean in Hs. rewrite fall_eq. lra. Qed.

(* If (c-1) a >= 2 nu, a sharp iterate within D of the floor is followed by a flat one, at height at least w_min. *)
Context (one_sharp : 2 * nu <= (c - 1) * a).

Lemma w_min_eq : w_min eta a c nu = eta * (c * a) - D - eta * nu.
Proof. unfold w_min, D, fall. ring. Qed.
Lemma w_min_nonneg : 0 <= w_min eta a c nu.
Proof. destruct H. unfold w_min. apply Rmult_le_pos; lra. Qed.
Lemma eta_ca_pos : 0 < eta * (c * a).
Proof. pose proof w_min_nonneg. pose proof w_min_eq. pose proof fall_pos. pose proof eta_nu_nonneg. lra. Qed.
Lemma sharp_child s q s' : - D <= pos s -> pos s < 0 -> In (q, s') (step s) -> w_min eta a c nu <= pos s'.
Proof. intros HD Hs Hin. apply child_bd in Hin. apply sharp_mean in Hs. rewrite w_min_eq. lra. Qed.

(* So a prepared round starts at w_min or above. *)
Lemma start_height s : round_start S step pos D s -> w_min eta a c nu <= pos s.
Proof. intros (s1 & q & H1 & H2 & Hin). eapply sharp_child; eauto. Qed.

(* All iterates stay above -D once one is. *)
Definition above (s : S) : Prop := - D <= pos s.
Lemma above_closed : closed step above.
Proof.
  intros s q s' H1 Hin. unfold above in *. pose proof fall_pos. pose proof w_min_nonneg.
  destruct (Rlt_or_le (pos s) 0) as [Hn|Hp].
  - pose proof (sharp_child _ _ _ H1 Hn Hin). lra.
  - pose proof (flat_child _ _ _ Hp Hin). lra.
Qed.
End AnyMean.

(* ---- with noise of conditional mean zero ---- *)
Section ZeroMean.
Context {S : Type} {step : S -> list (R * S)} {pos g : S -> R} {eta a b B c nu : R}.
Context (H : sgd S step pos g eta a b B c nu).
Let H0 := sgd_is_any_mean H.
Let theta := overshoot eta a nu.

(* From a flat node: either all children are sharp, or no child is below -theta. *)
Lemma straddle s : 0 <= pos s ->
  (forall q s', In (q, s') (step s) -> pos s' < 0) \/ (forall q s', In (q, s') (step s) -> - theta <= pos s').
Proof.
  intros Hs.
  assert (Dec : (forall q s', In (q, s') (step s) -> pos s' < 0) \/
                (exists q s', In (q, s') (step s) /\ 0 <= pos s')).
  { induction (step s) as [|[q s'] l IH]; [left; intros ? ? []|].
    destruct (Rlt_or_le (pos s') 0) as [L|L].
    - destruct IH as [IH|(q1 & s1 & I1 & I2)]; [left|right].
      + intros q0 s0 [E|Hin]; [congruence|eauto].
      + exists q1, s1; simpl; auto.
    - right; exists q, s'; simpl; auto. }
  destruct Dec as [Dec|(q1 & s1 & I1 & I2)]; [left; auto|right].
  intros q s' Hin. pose proof (child_bd H0 _ _ _ I1).
  pose proof (child_bd H0 _ _ _ Hin).
  pose proof (flat_child H0 _ _ _ Hs Hin). pose proof (flat_mean H0 _ Hs).
  pose proof (overshoot_nu H0) as T. fold theta in T. destruct T; lra.
Qed.

(* The expected overshoot at a flat node s: E[(w' + theta) 1(w' < 0) | s] >= 0, that is, on the event that the floor
   is crossed the sharp iterate is on average at least -theta. *)
Lemma mean_overshoot s : 0 <= pos s ->
  0 <= Esum (step s) (fun s' => if Rlt_dec (pos s') 0 then pos s' + theta else 0).
Proof.
  intros Hs. destruct (straddle s Hs) as [A|A].
  - rewrite (Esum_ext _ _ _ (fun s' => 1 * pos s' + theta)).
    + rewrite Esum_affine, (sg_mean H), (sg_one H).
      pose proof (flat_mean H0 s Hs). pose proof (overshoot_a H0) as T.
      fold theta in T. lra.
    + intros q s' Hin. specialize (A q s' Hin). destruct (Rlt_dec (pos s') 0); lra.
  - apply Rle_trans with (Esum (step s) (fun _ => 0)); [rewrite Esum_const; lra|].
    apply step_le; [apply (sg_nonneg H)|].
    intros q s' Hin. specialize (A q s' Hin). destruct (Rlt_dec (pos s') 0); lra.
Qed.
End ZeroMean.

(* The long-run mean of a process with finitely many values, and how to compute it.

   [long_run_mean step pos m] says that the expected sum of the first n iterates stays within a constant of m n, from
   every start: so the average over all iterations, which is what SGD averaging computes, tends to m.
   [long_run_mean_of_potential] is the tool: a bounded h with h(s) = pos(s) - m + E[h(next) | s] at every node. Here
   it is proved for any finite-branching process; the counterexamples to too small a c (LongRunSharp.v) and to noise
   with bounded variance only (Variance.v) use it. The last lemma says which way the conditions of [sgd] weaken. *)
From Coq Require Import Reals Lra Lia List ZArith.
From Valleys Require Import Process Sgd.
Import ListNotations.
Open Scope R_scope.

Lemma Rabs_between x y : Rabs x <= y -> - y <= x <= y.
Proof. intros H. pose proof (Rle_abs x). pose proof (Rle_abs (- x)) as H1. rewrite Rabs_Ropp in H1. lra. Qed.

Lemma INR_above x : exists n, x < INR n.
Proof. exists (Z.to_nat (up x)). rewrite INR_IZR_INZ. destruct (archimed x) as [H _].
  assert (IZR (up x) <= IZR (Z.of_nat (Z.to_nat (up x)))) by (apply IZR_le; lia). lra. Qed.

Section Mean.
Variables (S : Type) (step : S -> list (R * S)) (pos : S -> R).

(* the expected sum of n iterates differs from m n by at most a constant, whatever the start *)
Definition long_run_mean (m : R) : Prop :=
  exists C, forall n s, Rabs (EP step n s (path_sum S pos) - m * INR n) <= C.

Lemma EP_ext n : forall s F G, (forall l, length l = n -> F (s :: l) = G (s :: l)) -> EP step n s F = EP step n s G.
Proof.
  induction n as [|n IH]; simpl; intros s F G H; [apply H; auto|].
  apply Esum_ext. intros q s' _. apply IH. intros l Hl. apply H. simpl; lia. Qed.

Hypothesis step_nonneg : forall s q s', In (q, s') (step s) -> 0 <= q.
Hypothesis step_one : forall s, wtot (step s) = 1.

Lemma EP_path_sum_S n s : EP step (Datatypes.S n) s (path_sum S pos) =
  pos s + Esum (step s) (fun s' => EP step n s' (path_sum S pos)).
Proof.
  cbn [EP]. transitivity (Esum (step s) (fun s' => pos s + EP step n s' (path_sum S pos))).
  - apply Esum_ext. intros q s' _. rewrite <- (EP_const S step step_one n (pos s) s'), <- EP_plus.
    apply EP_ext. intros l _. simpl. reflexivity.
  - rewrite Esum_plus, Esum_const, step_one. ring. Qed.

(* A bounded potential h with h(s) = pos(s) - m + E[h(next) | s] proves that the long-run mean is m. *)
Theorem long_run_mean_of_potential (h : S -> R) m H :
  (forall s, h s = pos s - m + Esum (step s) h) -> (forall s, Rabs (h s) <= H) -> long_run_mean m.
Proof.
  intros Hh HH.
  assert (K : forall n s, - H <= EP step n s (path_sum S pos) - m * INR n - h s <= H).
  { induction n as [|n IH]; intros s.
    - simpl. specialize (HH s). apply Rabs_between in HH. lra.
    - rewrite EP_path_sum_S, S_INR.
      set (u := fun s' => EP step n s' (path_sum S pos)).
      replace (pos s + Esum (step s) u - m * (INR n + 1) - h s)
        with (Esum (step s) (fun s' => (u s' + - (m * INR n)) + -1 * h s')).
      2:{ rewrite !Esum_plus, Esum_const, Esum_scal, step_one. specialize (Hh s). lra. }
      assert (E : forall x, Esum (step s) (fun _ => x) = x) by (intros; rewrite Esum_const, step_one; ring).
      split.
      + eapply Rle_trans; [right; symmetry; apply (E (- H))|]. apply step_le; auto.
        intros q s' _. specialize (IH s'). fold (u s') in IH. lra.
      + eapply Rle_trans; [|right; apply (E H)]. apply step_le; auto.
        intros q s' _. specialize (IH s'). fold (u s') in IH. lra. }
  exists (2 * H). intros n s.
  specialize (K n s). specialize (HH s). apply Rabs_between in HH. apply Rabs_le. lra. Qed.

(* In the usual words: from every start, E[w_0 + ... + w_(n-1)] / n tends to m. *)
Theorem long_run_mean_is_a_limit m : long_run_mean m ->
  forall s, Un_cv (fun n => EP step n s (path_sum S pos) / INR n) m.
Proof.
  intros [C HC] s eps Heps.
  destruct (INR_above (C / eps)) as [N HN]. exists (Datatypes.S N). intros n Hn. unfold R_dist.
  assert (HnN : INR N < INR n) by (apply lt_INR; lia).
  assert (HN0 : 0 <= INR N) by apply pos_INR.
  specialize (HC n s).
  replace (EP step n s (path_sum S pos) / INR n - m) with ((EP step n s (path_sum S pos) - m * INR n) * / INR n)
    by (field; lra).
  rewrite Rabs_mult, (Rabs_pos_eq (/ INR n)) by (left; apply Rinv_0_lt_compat; lra).
  apply Rmult_lt_reg_r with (INR n); [lra|]. rewrite Rmult_assoc, Rinv_l, Rmult_1_r by lra.
  eapply Rle_lt_trans; [exact HC|].
  replace C with (C / eps * eps) by (field; lra). rewrite (Rmult_comm eps). apply Rmult_lt_compat_r; lra. Qed.
End Mean.
Arguments long_run_mean {S}.

(* The conditions of [sgd] weaken in b (down), B (up), c (down) and nu (up): so a counterexample at one c is one at
   every smaller c, with the same steepest slope B. *)
Lemma sgd_weaken S step pos g eta a b B c nu b' B' c' nu' : sgd S step pos g eta a b B c nu ->
  0 < b' <= b -> B <= B' -> c' <= c -> nu <= nu' -> sgd S step pos g eta a b' B' c' nu'.
Proof.
  intros [h1 h2 h3 h4 h5 h6 h7 h8 h9 h10 h11] Hb HB Hc Hnu.
  assert (Ha : c' * a <= c * a) by (apply Rmult_le_compat_r; lra).
  split; auto; try lra.
  - intros s q s' Hin. eapply Rle_trans; [apply (h3 s q s' Hin)|]. apply Rmult_le_compat_l; lra.
  - intros s Hs. specialize (h5 s Hs). lra.
  - intros s Hs. specialize (h6 s Hs). lra. Qed.

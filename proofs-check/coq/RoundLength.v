(* The length of one round of stochastic gradient descent.

   From a start w_0 >= 0 the expected number of iterates of the round is at most 1 + (w_0 + theta) / beta, with
   beta = eta b: on the flat side the iterate falls by at least beta a step on average, and the expected overshoot
   below the floor is at most theta. So there are (w_0 + theta) / beta flat iterates on average at most; the
   probability that the round is not over after n steps is at most that number over n + 1; and the round is over with
   probability 1. Paths are cut at n steps; a round that is cut counts with the length it has. *)
From Coq Require Import Reals Lra Lia List.
From Valleys Require Import Process Sgd Steps Pathwise.
Import ListNotations.
Open Scope R_scope.

(* 1 where the round is not over, 0 where it is *)
Definition unfinished {S} (pos : S -> R) (l : list S) : R := if complete S pos l then 0 else 1.

Lemma nat_above x : exists n, x < INR n.
Proof.
  exists (Z.to_nat (up x)). destruct (archimed x) as [U _]. rewrite INR_IZR_INZ.
  eapply Rlt_le_trans; [exact U|]. apply IZR_le. lia.
Qed.

(* A bound x - C/(n+1) is, for large n, a bound x - eps. *)
Lemma vanishing_term C eps : 0 < eps -> exists n0, forall n, (n0 <= n)%nat -> C / (INR n + 1) <= eps.
Proof.
  intros He. destruct (nat_above (C / eps)) as [n0 Hn0]. exists n0. intros n Hn. apply le_INR in Hn.
  pose proof (pos_INR n).
  apply (Rmult_le_reg_r (INR n + 1)); [lra|]. unfold Rdiv. rewrite Rmult_assoc, Rinv_l, Rmult_1_r by lra.
  assert (C = C / eps * eps) by (field; lra). nra.
Qed.

Section Length.
Context {S : Type} {step : S -> list (R * S)} {pos g : S -> R} {eta a b B c nu : R}.
Context (H : sgd S step pos g eta a b B c nu).
Let H0 := sgd_is_any_mean H.
Let step_nonneg := sg_nonneg H.
Let step_one := sg_one H.
Let theta := overshoot eta a nu.
Let b' := eta * b.

Local Notation round := (round S pos).
Local Notation complete := (complete S pos).
Local Notation len := (len S).

Lemma len_cons s l : len (s :: l) = 1 + len l. Proof. unfold len. simpl length. rewrite S_INR. ring. Qed.
Lemma len_nonneg l : 0 <= len l. Proof. unfold len. apply pos_INR. Qed.

(* the number of flat iterates at the beginning of a path *)
Fixpoint flats (l : list S) : R := match l with
  | [] => 0 | s :: r => if Rlt_dec (pos s) 0 then 0 else 1 + flats r end.
Lemma flats_nonneg l : 0 <= flats l.
Proof. induction l as [|s r IH]; simpl; [lra|]. destruct (Rlt_dec (pos s) 0); lra. Qed.
Lemma flats_flat s r : 0 <= pos s -> flats (s :: r) = 1 + flats r.
Proof. intros Hs. simpl. destruct (Rlt_dec (pos s) 0); lra. Qed.
Lemma flats_sharp s r : pos s < 0 -> flats (s :: r) = 0.
Proof. intros Hs. simpl. destruct (Rlt_dec (pos s) 0); lra. Qed.
Lemma len_flats l : len (round l) <= 1 + flats l.
Proof.
  induction l as [|s r IH]; [unfold Sgd.len; simpl; lra|]. simpl. destruct (Rlt_dec (pos s) 0).
  - unfold Sgd.len; simpl. lra.
  - rewrite len_cons. lra.
Qed.
Lemma incomplete_flats l : complete l = false -> flats l = len l.
Proof.
  induction l as [|s r IH]; simpl; intros Hl; [unfold Sgd.len; simpl; lra|].
  destruct (Rlt_dec (pos s) 0); [discriminate|]. rewrite IH, len_cons by auto. lra.
Qed.

Lemma flats_scaled n : forall s, 0 <= pos s -> b' * EP step n s flats <= pos s + theta.
Proof.
  pose proof (eta_a_pos H0). pose proof (eta_b_pos H0) as Hb. fold b' in Hb.
  pose proof (overshoot_a H0) as Ht. fold theta in Ht.
  induction n as [|n IH]; intros s Hs; pose proof (flat_mean H0 s Hs) as M; fold b' in M.
  - cbn [EP]. rewrite flats_flat by auto. cbn [flats]. lra.
  - change (EP step (Datatypes.S n) s flats) with
      (Esum (step s) (fun s' => EP step n s' (fun l => flats (s :: l)))).
    assert (E : forall q s', In (q, s') (step s) ->
       EP step n s' (fun l => flats (s :: l)) = 1 + EP step n s' flats).
    { intros. rewrite <- (EP_const S step step_one n 1 s') at 1.
      rewrite <- (EP_plus S step n s' (fun _ => 1) flats). apply EP_eq; auto. intros l Hl.
      apply flats_flat; auto. }
    rewrite (Esum_ext S _ _ _ E), <- Esum_scal.
    apply Rle_trans with (Esum (step s) (fun s' => (1 * pos s' + (theta + b')) +
        (-1) * (if Rlt_dec (pos s') 0 then pos s' + theta else 0))).
    + apply step_le; auto. intros q s' Hin. destruct (Rlt_dec (pos s') 0) as [Hn|Hp].
      * rewrite (EP_eq S step step_nonneg n s' flats (fun _ => 0)) by (intros; apply flats_sharp; auto).
        rewrite EP_const by auto. lra.
      * specialize (IH s' ltac:(lra)). lra.
    + rewrite Esum_plus, Esum_affine, Esum_scal, (sg_mean H), step_one.
      pose proof (mean_overshoot H s Hs) as O. fold theta in O. lra.
Qed.

Lemma expected_flats n s : 0 <= pos s -> EP step n s flats <= (pos s + theta) / b'.
Proof.
  intros Hs. pose proof (eta_b_pos H0) as Hb. fold b' in Hb. apply (Rmult_le_reg_l b'); [auto|].
  replace (b' * ((pos s + theta) / b')) with (pos s + theta) by (field; lra). apply flats_scaled; auto.
Qed.

(* The expected length of a round from w_0 >= 0, cut at n + 1 iterates, is at most 1 + (w_0 + theta) / beta. *)
Theorem expected_round_length n s : 0 <= pos s ->
  EP step n s (fun l => len (round l)) <= 1 + (pos s + theta) / b'.
Proof.
  intros Hs. apply Rle_trans with (EP step n s (fun l => 1 + flats l)).
  - apply EP_le; auto. intros. apply len_flats.
  - rewrite (EP_plus S step n s (fun _ => 1) flats), EP_const by auto. pose proof (expected_flats n s Hs). lra.
Qed.

Lemma incomplete_round l : complete l = false -> round l = l.
Proof.
  induction l as [|s r IH]; simpl; intros Hl; auto. destruct (Rlt_dec (pos s) 0); [discriminate|]. rewrite IH; auto.
Qed.

(* The probability that a round from w_0 >= 0 is not over within n steps: at most (w_0 + theta) / (beta (n + 1)). *)
Theorem unfinished_round n s : 0 <= pos s ->
  EP step n s (unfinished pos) <= (pos s + theta) / b' / (INR n + 1).
Proof.
  intros Hs. pose proof (pos_INR n) as Hn.
  assert (Hn1 : 0 < / (INR n + 1)) by (apply Rinv_0_lt_compat; lra).
  apply Rle_trans with (EP step n s (fun l => / (INR n + 1) * flats l)).
  - apply EP_le; auto. intros l Hl. unfold unfinished. destruct (complete (s :: l)) eqn:E.
    + apply Rmult_le_pos; [lra|apply flats_nonneg].
    + rewrite (incomplete_flats _ E), len_cons. unfold Sgd.len. rewrite Hl. right; field; lra.
  - rewrite EP_scal. unfold Rdiv at 1. rewrite Rmult_comm.
    apply Rmult_le_compat_r; [lra|]. apply expected_flats; auto.
Qed.

(* A round is over with probability 1: the probability that it lasts for more than n steps tends to 0. *)
Theorem round_ends s eps : 0 <= pos s -> 0 < eps ->
  exists n0, forall n, (n0 <= n)%nat -> EP step n s (unfinished pos) <= eps.
Proof.
  intros Hs He. destruct (vanishing_term ((pos s + theta) / b') eps He) as [n0 Hn0].
  exists n0. intros n Hn. eapply Rle_trans; [apply unfinished_round; auto|]. apply Hn0; auto.
Qed.
End Length.

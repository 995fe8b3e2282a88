(* Processes with one child at each node: the expectation of a functional is its value on the only path. *)
From Coq Require Import Reals Lra Lia List.
From Valleys Require Import Process Sgd Pathwise.
Import ListNotations.
Open Scope R_scope.

Section Det.
Context {S : Type} (next : S -> S).
Definition det_step (s : S) : list (R * S) := [(1, next s)].

(* the path s, next s, next (next s), ..., of n steps *)
Fixpoint trace (n : nat) (s : S) : list S := s :: match n with O => [] | Datatypes.S m => trace m (next s) end.

Lemma det_nonneg : forall s q s', In (q, s') (det_step s) -> 0 <= q.
Proof. intros s q s' [E|[]]; inversion E; lra. Qed.
Lemma det_one : forall s, wtot (det_step s) = 1.
Proof. intros s. unfold wtot. simpl. lra. Qed.
Lemma det_mean f s : Esum (det_step s) f = f (next s).
Proof. simpl. lra. Qed.
Lemma det_child s q s' : In (q, s') (det_step s) -> s' = next s.
Proof. intros [E|[]]. inversion E. auto. Qed.

Lemma EP_det n : forall s F, EP det_step n s F = F (trace n s).
Proof.
  induction n as [|n IH]; intros s F; [auto|].
  cbn [EP]. rewrite det_mean. rewrite IH. reflexivity.
Qed.

Lemma trace_chain n : forall s, chain det_step (trace n s).
Proof.
  induction n as [|n IH]; intros s; [simpl; auto|].
  specialize (IH (next s)). destruct n as [|n]; (split; [exists 1; left; reflexivity|exact IH]).
Qed.
End Det.

(* A round along such a path, iterate by iterate. *)
Section DetRound.
Context {S : Type} (next : S -> S) (pos : S -> R).

Definition round_is (n : nat) (s : S) (k total : R) : Prop :=
  complete S pos (trace next n s) = true /\
  len S (round S pos (trace next n s)) = k /\ pos_sum S pos (round S pos (trace next n s)) = total.

Lemma round_is_last n s : pos s < 0 -> round_is n s 1 (pos s).
Proof.
  intros Hs. unfold round_is, len. destruct n as [|n]; simpl; destruct (Rlt_dec (pos s) 0); try lra; simpl;
    split; auto; split; lra.
Qed.
Lemma round_is_flat n s k t : 0 <= pos s -> round_is n (next s) k t -> round_is (Datatypes.S n) s (1 + k) (pos s + t).
Proof.
  intros Hs (H1 & H2 & H3). unfold round_is. cbn [trace].
  rewrite complete_tail, round_tail by auto. split; [auto|]. split.
  - unfold len in *. simpl length. rewrite S_INR, <- H2. lra.
  - simpl. rewrite <- H3. reflexivity.
Qed.
Lemma round_is_mean n s k t : round_is n s k t -> EP (det_step next) n s (round_mean S pos) = t / k.
Proof. intros (H1 & H2 & H3). rewrite EP_det. unfold round_mean. rewrite H1, H2, H3. reflexivity. Qed.
End DetRound.

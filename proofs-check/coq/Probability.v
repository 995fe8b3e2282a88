(* Finite probability: what Theorem 1 needs of it.

   There are n outcomes j = 0, ..., n-1 with weights pr j. The shift of Assumption 1 takes finitely many values (at
   most 2^d), so finite probability loses nothing there; no independence is assumed anywhere. *)
From Coq Require Import Reals Lra Lia.
From Valleys Require Import Vectors.
Open Scope R_scope.

Definition is_prob (n : nat) (pr : nat -> R) : Prop := (forall j, (j < n)%nat -> 0 <= pr j) /\ rsum n pr = 1.

(* the expectation of X *)
Definition EE (n : nat) (pr X : nat -> R) : R := rsum n (fun j => pr j * X j).
(* P(s > 0) and P(s = x) *)
Definition Ppos (n : nat) (pr s : nat -> R) : R := EE n pr (fun j => if Rlt_dec 0 (s j) then 1 else 0).
Definition Peq (n : nat) (pr s : nat -> R) (x : R) : R := EE n pr (fun j => if Req_EM_T (s j) x then 1 else 0).

Lemma EE_minus n pr X Y : EE n pr (fun j => X j - Y j) = EE n pr X - EE n pr Y.
Proof. unfold EE. rewrite <- rsum_minus. apply rsum_ext; intros; ring. Qed.
Lemma EE_const n pr a : is_prob n pr -> EE n pr (fun _ => a) = a.
Proof. intros [_ H]. unfold EE. rewrite rsum_scal_r, H. ring. Qed.
Lemma EE_scal n pr a X : EE n pr (fun j => a * X j) = a * EE n pr X.
Proof. unfold EE. rewrite <- rsum_scal. apply rsum_ext; intros; ring. Qed.
Lemma EE_rsum n pr k (X : nat -> nat -> R) : EE n pr (fun j => rsum k (X j)) =
  rsum k (fun i => EE n pr (fun j => X j i)).
Proof. unfold EE. rewrite <- rsum_swap. apply rsum_ext; intros j Hj. rewrite rsum_scal. reflexivity. Qed.

(* only outcomes of positive weight matter *)
Lemma EE_ext_as n pr X Y : is_prob n pr -> (forall j, (j < n)%nat -> 0 < pr j -> X j = Y j) -> EE n pr X = EE n pr Y.
Proof. intros [H0 _] H. apply rsum_ext. intros j Hj. destruct (Req_dec (pr j) 0) as [->|E]; [ring|].
  rewrite H; auto. specialize (H0 j Hj). lra. Qed.
Lemma EE_le n pr X Y : is_prob n pr -> (forall j, (j < n)%nat -> 0 < pr j -> X j <= Y j) -> EE n pr X <= EE n pr Y.
Proof. intros [H0 _] H. apply rsum_le. intros j Hj. destruct (Req_dec (pr j) 0) as [->|E]; [lra|].
  specialize (H0 j Hj). apply Rmult_le_compat_l; auto. apply H; auto; lra. Qed.
Lemma some_positive n pr : is_prob n pr -> exists j, (j < n)%nat /\ 0 < pr j.
Proof. intros [H0 H1]. induction n as [|n IH]; simpl in H1; [lra|].
  destruct (Rlt_dec 0 (pr n)) as [P|P]; [exists n; auto|].
  assert (pr n = 0) by (specialize (H0 n ltac:(lia)); lra).
  destruct IH as (j & Hj & P'); [intros; apply H0; lia | lra | exists j; auto]. Qed.
Lemma EE_lt n pr X Y : is_prob n pr -> (forall j, (j < n)%nat -> 0 < pr j -> X j < Y j) -> EE n pr X < EE n pr Y.
Proof. intros HP H. destruct (some_positive n pr HP) as (i & Hi & P). destruct HP as [H0 _].
  apply (rsum_lt n _ _ i Hi).
  - intros j Hj. destruct (Req_dec (pr j) 0) as [->|E]; [lra|].
    specialize (H0 j Hj). apply Rmult_le_compat_l; auto. left; apply H; auto; lra.
  - apply Rmult_lt_compat_l; auto. Qed.

(* X <= Y with equal expectations: equal almost surely *)
Lemma EE_squeeze n pr X Y : is_prob n pr -> (forall j, (j < n)%nat -> X j <= Y j) -> EE n pr X = EE n pr Y ->
  forall j, (j < n)%nat -> 0 < pr j -> X j = Y j.
Proof. intros [H0 _] H E j Hj P. destruct (Req_dec (X j) (Y j)) as [|N]; auto. exfalso.
  apply (Rlt_irrefl (EE n pr X)). rewrite E at 2. apply (rsum_lt n _ _ j Hj).
  - intros i Hi. apply Rmult_le_compat_l; auto.
  - apply Rmult_lt_compat_l; auto. specialize (H j Hj). lra. Qed.

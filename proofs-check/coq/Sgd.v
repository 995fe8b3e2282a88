(* Stochastic gradient descent in one dimension, as Theorem 2 (Section 5.1) has it, and what is averaged over a path.

   A node s of the process is a whole history; [pos s] is its iterate w and [g s] the slope met there. One step goes
   to finitely many children with weights, w' = w - eta (g + omega), with |omega| <= nu and E[omega | past] = 0.
   Slopes lie in [b, a] on the flat side w >= 0 and in [-B, -c a] on the sharp side w < 0 (in the paper's notation
   b = b_+, a = a_+, B = |b_-|). The noise itself does not appear: omega = (w - w') / eta - g. *)
From Coq Require Import Reals Lra Lia List.
From Valleys Require Import Process.
Import ListNotations.
Open Scope R_scope.

Record sgd (S : Type) (step : S -> list (R * S)) (pos g : S -> R) (eta a b B c nu : R) : Prop := {
  sg_nonneg : forall s q s', In (q, s') (step s) -> 0 <= q;
  sg_one : forall s, wtot (step s) = 1;
  sg_bd : forall s q s', In (q, s') (step s) -> Rabs (pos s - pos s' - eta * g s) <= eta * nu;
  sg_mean : forall s, Esum (step s) pos = pos s - eta * g s;
  sg_flat : forall s, 0 <= pos s -> b <= g s <= a;
  sg_sharp : forall s, pos s < 0 -> - B <= g s <= - (c * a);
  sg_eta : 0 < eta; sg_b : 0 < b; sg_ba : b <= a; sg_nu : 0 <= nu; sg_cB : c * a <= B }.

Section Path.
Variables (S : Type) (step : S -> list (R * S)) (pos : S -> R).

(* w_0 + ... + w_(n-1) on a path s_0, ..., s_n: the last node is where the next step would start *)
Fixpoint path_sum (l : list S) : R :=
  match l with [] => 0 | s :: r => match r with [] => 0 | _ => pos s + path_sum r end end.

(* the first round of a path: up to and with its first node on the sharp side *)
Fixpoint round (l : list S) : list S := match l with
  | [] => [] | s :: r => s :: (if Rlt_dec (pos s) 0 then [] else round r) end.
Fixpoint complete (l : list S) : bool := match l with
  | [] => false | s :: r => if Rlt_dec (pos s) 0 then true else complete r end.
Fixpoint pos_sum (l : list S) : R := match l with [] => 0 | s :: r => pos s + pos_sum r end.
Definition len (l : list S) : R := INR (length l).

(* the average of the round if it is over within the path, 0 otherwise *)
Definition round_mean (l : list S) : R := if complete l then pos_sum (round l) / len (round l) else 0.

(* a prepared round starts at a flat child of a sharp node that is itself within D = eta (a + nu) of 0 *)
Definition round_start (D : R) (s : S) : Prop :=
  exists s1 q, - D <= pos s1 /\ pos s1 < 0 /\ In (q, s) (step s1).
End Path.

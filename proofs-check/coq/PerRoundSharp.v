(* Statement (C), the average of a prepared round, in the units eta = a = 1: its threshold for nu <= 1/2 is exact.

   (C) needs c > 2 + 2 nu when nu <= 1/2. Below it the round (w_min, 0, -1), w_min = c - 1 - 2 nu < 1, has a negative
   average. It is prepared: the node before it is the sharp node -(1 + nu) = -D, with slope -c and noise +-nu, each
   with probability 1/2; the noise +nu leads to w_min. From there the slopes are w_min, then 1, without noise.
   Everywhere else (after the round, and from the other child c - 1) the slopes are 1 and -c, without noise. *)
From Coq Require Import Reals Lra Lia List.
From Valleys Require Import Process Sgd LongRunMean.
Import ListNotations.
Open Scope R_scope.

Inductive round_node := Before | Start | Free (w : R).
Section Round.
Variables c nu : R.
Definition start_height : R := c - 1 - 2 * nu.               (* w_min *)
Definition free_slope (w : R) : R := if Rlt_dec w 0 then - c else 1.
Definition round_step (s : round_node) : list (R * round_node) := match s with
  | Before => [(1 / 2, Start); (1 / 2, Free (c - 1))]
  | Start => [(1, Free 0)]
  | Free w => [(1, Free (w - free_slope w))] end.
Definition round_pos (s : round_node) : R :=
  match s with Before => - (1 + nu) | Start => start_height | Free w => w end.
Definition round_slope (s : round_node) : R :=
  match s with Before => - c | Start => start_height | Free w => free_slope w end.
Definition round_sharp_mean : R := (start_height - 1) / 3.

Lemma round_is_sgd b : 0 <= nu -> 0 < b <= start_height -> start_height <= 1 ->
  sgd round_node round_step round_pos round_slope 1 1 b c c nu.
Proof.
  intros Hn Hb H1. assert (H1' := H1). assert (Hb' := Hb). unfold start_height in H1', Hb'. split; try lra.
  - intros s q s' Hin. destruct s; simpl in Hin; repeat (destruct Hin as [Hin|Hin]; [injection Hin; intros; lra|]);
      contradiction.
  - intros s; destruct s; unfold wtot; simpl; lra.
  - intros s q s' Hin. destruct s; simpl in Hin; unfold start_height in *;
      repeat (destruct Hin as [Hin|Hin]; [injection Hin; intros <- _; simpl; unfold start_height;
        apply Rabs_le; lra|]); contradiction.
  - intros s; destruct s; simpl; unfold start_height; lra.
  - intros s; destruct s; simpl; unfold free_slope; try lra. destruct (Rlt_dec w 0); lra.
  - intros s; destruct s; simpl; unfold free_slope; try lra. destruct (Rlt_dec w 0); lra. Qed.

Lemma round_sharp_mean_exact n : (2 <= n)%nat -> 0 <= start_height ->
  EP round_step n Start (round_mean round_node round_pos) = round_sharp_mean.
Proof.
  intros Hn H0. destruct n as [|[|n]]; try lia. cbn [EP round_step Esum].
  rewrite (EP_ext _ round_step n _ _ (fun _ => round_sharp_mean)).
  - rewrite EP_const; [lra|]. intros s; destruct s; unfold wtot; simpl; lra.
  - intros l _. assert (E : 0 - free_slope 0 = -1) by (unfold free_slope; destruct (Rlt_dec 0 0); lra). rewrite E.
    unfold round_mean, complete, round. simpl round_pos.
    destruct (Rlt_dec start_height 0) as [H|_]; [lra|]. destruct (Rlt_dec 0 0) as [H|_]; [lra|].
    destruct (Rlt_dec (-1) 0) as [_|H]; [|lra]. unfold round_sharp_mean, len. simpl. field. Qed.
End Round.

(* For b <= w_min < 1, that is 1 + b + 2 nu <= c < 2 + 2 nu: an SGD process with a prepared start at w_min whose first
   round is (w_min, 0, -1), whatever the path: its expected average is the negative number (w_min - 1)/3. *)
Theorem per_round_sharp b c nu : 0 <= nu -> 0 < b -> 1 + b + 2 * nu <= c < 2 + 2 * nu ->
  sgd round_node (round_step c) (round_pos c nu) (round_slope c nu) 1 1 b c c nu /\
  round_start round_node (round_step c) (round_pos c nu) (1 * (1 + nu)) Start /\
  (forall n, (2 <= n)%nat ->
    EP (round_step c) n Start (round_mean round_node (round_pos c nu)) = round_sharp_mean c nu) /\
  round_sharp_mean c nu < 0.
Proof.
  intros Hn Hb Hc. assert (Hw : b <= start_height c nu < 1) by (unfold start_height; lra).
  split; [apply round_is_sgd; lra|]. split.
  { exists Before, (1 / 2). simpl. repeat split; [lra|lra|left; reflexivity]. }
  split; [intros n Hn2; apply round_sharp_mean_exact; [exact Hn2|lra]|unfold round_sharp_mean; lra]. Qed.

(* Refuted below the threshold 2 + 2 nu of (C), exact for nu <= 1/2: for every b < 1 and EVERY c < 2 + 2 nu there are
   an SGD process (with some steepest slope B), a prepared start s on the flat side and a negative m such that the
   average of the round from s, over n steps, has expectation m for all n >= 2. (For nu > 1/2 the threshold of (C) is
   larger.) *)
Theorem per_round_threshold_exact b c nu : 0 <= nu -> 0 < b < 1 -> c < 2 + 2 * nu ->
  exists (S : Type) (step : S -> list (R * S)) (pos g : S -> R) (B : R) (s : S) (m : R),
    sgd S step pos g 1 1 b B c nu /\ round_start S step pos (1 * (1 + nu)) s /\ 0 <= pos s /\ m < 0 /\
    forall n, (2 <= n)%nat -> EP step n s (round_mean S pos) = m.
Proof.
  intros Hn Hb Hc. set (d := Rmax c (1 + b + 2 * nu)).
  assert (Hd : c <= d /\ 1 + b + 2 * nu <= d /\ d < 2 + 2 * nu).
  { unfold d. repeat split; [apply Rmax_l|apply Rmax_r|apply Rmax_lub_lt; lra]. }
  destruct (per_round_sharp b d nu) as [P [Q [E M]]]; [lra..|].
  exists round_node, (round_step d), (round_pos d nu), (round_slope d nu), d, Start, (round_sharp_mean d nu).
  split; [eapply sgd_weaken; [exact P|lra..]|]. split; [exact Q|].
  split; [simpl; unfold start_height; lra|]. auto. Qed.
